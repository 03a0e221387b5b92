import Foundation

/// One measured number and the yardstick beside it.
struct Figure: Encodable, Equatable {
    let label: String
    let value: Double
    let unit: String
    let yardstick: String
    let yardstickValue: Double
    let ratio: Double

    enum CodingKeys: String, CodingKey {
        case label, value, unit, yardstick, ratio
        case yardstickValue = "yardstick_value"
    }

    /// - Parameter yardstick: what was measured in the same run, in the same unit.
    init(_ label: String, _ value: Double, _ unit: String, beside yardstick: String, _ yardstickValue: Double) {
        (self.label, self.value, self.unit) = (label, value, unit)
        (self.yardstick, self.yardstickValue) = (yardstick, yardstickValue)
        ratio = yardstickValue == 0 ? 0 : value / yardstickValue
    }
}

/// What one benchmark found.
struct Report: Encodable {
    let name: String
    private(set) var figures: [Figure] = []
    /// How the figures were got, for people.
    private(set) var notes: [String] = []

    enum CodingKeys: String, CodingKey {
        case name, figures
    }

    init(_ name: String) { self.name = name }

    mutating func add(_ figure: Figure) { figures.append(figure) }
    mutating func note(_ line: String) { notes.append(line) }

    /// JSON on standard output and the notes on standard error, or a table with its notes on standard output.
    func print(as options: OutputOptions) throws {
        guard options.json else {
            Swift.print(table)
            for note in notes { Swift.print("  \(note)") }
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        Swift.print(String(decoding: try encoder.encode(self), as: UTF8.self))
        for note in notes { Progress.say(note) }
    }

    var table: String {
        let rows = figures.map {
            [
                $0.label, Self.text($0.value), $0.unit, $0.yardstick, Self.text($0.yardstickValue),
                String(format: "%.2f", $0.ratio),
            ]
        }
        let titles = ["figure", "value", "unit", "yardstick", "its value", "ratio"]
        let widths = titles.indices.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
        let numeric: Set = [1, 4, 5]
        func line(_ cells: [String]) -> String {
            cells.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - cells[column].count)
                return numeric.contains(column) ? padding + cells[column] : cells[column] + padding
            }.joined(separator: "  ")
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        return ([name, line(titles), rule] + rows.map(line)).joined(separator: "\n")
    }

    private static func text(_ value: Double) -> String {
        switch abs(value) {
        case 100...: String(format: "%.0f", value)
        case 10...: String(format: "%.1f", value)
        case 1...: String(format: "%.2f", value)
        case 0.1...: String(format: "%.3f", value)
        default: String(format: "%.4f", value)
        }
    }
}
