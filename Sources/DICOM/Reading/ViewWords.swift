import Imaging

/// Finds the words that name a view in what a technologist or a protocol wrote.
enum ViewWords {
    /// ImageID, ViewPosition and SeriesDescription, in this order; nil when none names exactly one view.
    static func direction(_ dataset: Dataset) -> ViewDirection? {
        // `POST` in a description is as often "post therapy" as "posterior", so only the short fields may use it.
        direction(dataset.text(.imageID), allowsShort: true)
            ?? direction(dataset.text(.viewPosition), allowsShort: true)
            ?? direction(dataset.text(.seriesDescription), allowsShort: false)
    }

    private static func direction(_ text: String?, allowsShort: Bool) -> ViewDirection? {
        guard let text else { return nil }
        let words = Set(text.uppercased().split { !$0.isLetter }.map(String.init))
        let isAnterior = words.contains("ANTERIOR") || allowsShort && words.contains("ANT")
        let isPosterior = words.contains("POSTERIOR") || allowsShort && words.contains("POST")
        guard isAnterior != isPosterior else { return nil }
        return isAnterior ? .anterior : .posterior
    }
}
