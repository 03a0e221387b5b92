/// How wide text is in Helvetica, which every reader of PDF has.
///
/// - Units: points.
/// - Source: Adobe Core 14 AFM files; characters outside ASCII count as a digit.
enum TextMetrics {
    private static let widths: [Int] = [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556,
        556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667,
        556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556,
        556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722,
        500, 500, 500, 334, 260, 334, 584,
    ]
    /// Bold letters are wider; digits are not.
    private static let boldness = 1.07

    static func width(_ text: String, size: Double, bold: Bool = false) -> Double {
        text.unicodeScalars.reduce(0) { sum, scalar in
            let isKnown = (32...126).contains(scalar.value)
            let units = isKnown ? Double(widths[Int(scalar.value) - 32]) : 556
            let isLetter = scalar.properties.isAlphabetic
            return sum + units / 1000 * size * (bold && isLetter ? boldness : 1)
        }
    }

    static func lines(_ text: String, width: Double, size: Double) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            for piece in pieces(String(word), width: width, size: size) {
                let longer = line.isEmpty ? piece : "\(line) \(piece)"
                if Self.width(longer, size: size) > width, !line.isEmpty {
                    lines.append(line)
                    line = piece
                } else {
                    line = longer
                }
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }

    /// A word that is wider than a line, such as an identifier, is cut.
    private static func pieces(_ word: String, width: Double, size: Double) -> [String] {
        var pieces: [String] = []
        var piece = ""
        for character in word {
            if Self.width(piece + String(character), size: size) > width, !piece.isEmpty {
                pieces.append(piece)
                piece = ""
            }
            piece.append(character)
        }
        return pieces + [piece]
    }
}
