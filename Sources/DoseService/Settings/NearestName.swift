/// What somebody may have meant by a word that is not known.
public enum NearestName {
    /// The known word with the fewest letters to change; nil when even that is another word.
    public static func of(_ word: String, among known: some Sequence<String>) -> String? {
        let ranked = known.sorted().map { (name: $0, distance: distance(word, $0)) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, word.count / 3) ? best.name : nil
    }

    /// A question for whoever wrote the word; nil when nothing resembles it.
    static func advice(for word: String, among known: some Sequence<String>) -> String? {
        of(word, among: known).map { "did you mean '\($0)'?" }
    }

    /// Letters that have to be put in, taken out or replaced.
    ///
    /// - Source: V. Levenshtein, Soviet Physics Doklady 10 (1966) 707.
    static func distance(_ first: String, _ second: String) -> Int {
        let letters = Array(second)
        var row = Array(0...letters.count)
        for (index, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in letters.indices {
                let replaced = diagonal + (letter == letters[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[letters.count]
    }
}
