import Imaging

/// Finds the words that name a view in what a technologist or a protocol wrote.
enum ViewWords {
    /// ImageID, ViewPosition and SeriesDescription, in this order; nil when none names exactly one view.
    static func direction(_ dataset: Dataset, _ rules: PlanarReadingRules) -> ViewDirection? {
        // `POST` in a description is as often "post therapy" as "posterior", so only the short fields may use it.
        direction(dataset.text(.imageID), allowsShort: true, rules)
            ?? direction(dataset.text(.viewPosition), allowsShort: true, rules)
            ?? direction(dataset.text(.seriesDescription), allowsShort: false, rules)
    }

    private static func direction(
        _ text: String?, allowsShort: Bool, _ rules: PlanarReadingRules
    ) -> ViewDirection? {
        guard let text else { return nil }
        let words = Set(text.uppercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        let isAnterior =
            words.contains("ANTERIOR") || allowsShort && words.contains("ANT")
            || !words.isDisjoint(with: rules.anteriorWords)
        let isPosterior =
            words.contains("POSTERIOR") || allowsShort && words.contains("POST")
            || !words.isDisjoint(with: rules.posteriorWords)
        guard isAnterior != isPosterior else { return nil }
        return isAnterior ? .anterior : .posterior
    }
}
