/// A value bound to `$n`. Instants go as seconds through `to_timestamp($n)`, durations as seconds through
/// `make_interval(secs => $n)`.
public enum Parameter: Equatable, Sendable {
    case null
    case integer(Int64)
    case double(Double)
    case bool(Bool)
    case text(String)
    case bytes([UInt8])
    /// JSON text; the server checks it.
    case json(String)
    case uuid(String)
    case integers([Int64])
    case doubles([Double?])
    case texts([String?])

    public static func optional(_ text: String?) -> Parameter { text.map(Parameter.text) ?? .null }
    public static func optional(_ integer: Int64?) -> Parameter { integer.map(Parameter.integer) ?? .null }
    public static func optional(_ double: Double?) -> Parameter { double.map(Parameter.double) ?? .null }
    public static func optional(json: String?) -> Parameter { json.map(Parameter.json) ?? .null }

    public static func seconds(_ duration: Duration) -> Parameter { .double(duration.seconds) }
}

extension Parameter: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
}

extension Parameter {
    /// The wire form and whether it is binary; `nil` for NULL.
    ///
    /// Everything but bytes goes as text, which the server reads for whatever type it inferred.
    var encoded: (bytes: [UInt8], isBinary: Bool)? {
        switch self {
        case .null: nil
        case .bytes(let bytes): (bytes, true)
        case .integer(let value): (Array(String(value).utf8), false)
        case .double(let value): (Array(Parameter.literal(value).utf8), false)
        case .bool(let value): ([UInt8(ascii: value ? "t" : "f")], false)
        case .text(let text), .json(let text), .uuid(let text): (Array(text.utf8), false)
        case .integers(let values): (Parameter.array(values.map { String($0) }), false)
        case .doubles(let values): (Parameter.array(values.map { $0.map(Parameter.literal) ?? "NULL" }), false)
        case .texts(let values): (Parameter.array(values.map { $0.map(Parameter.quoted) ?? "NULL" }), false)
        }
    }

    /// PostgreSQL spells the special values differently from Swift.
    private static func literal(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
    }

    private static func array(_ elements: [String]) -> [UInt8] {
        Array("{\(elements.joined(separator: ","))}".utf8)
    }

    /// - Source: PostgreSQL documentation, 8.15.6 Array Input and Output Syntax.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

extension Duration {
    /// The length in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    /// The length in whole milliseconds, at least one when it is positive.
    package var milliseconds: Int64 {
        let whole = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        return whole == 0 && self > .zero ? 1 : whole
    }
}
