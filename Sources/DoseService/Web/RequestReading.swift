import Foundation
import HTTP

/// What handlers read of requests, and how it is refused.
extension Request {
    /// The path's `{id}`.
    func identifier() throws(Problem) -> Int64 {
        try Self.number(parameter("id") ?? "", "id", 1...Int64.max)
    }

    func number(_ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = query(name) else { return nil }
        return try Self.number(text, name, range)
    }

    /// Digits only: `Int64` would take a sign.
    private static func number(_ text: String, _ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64 {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text),
            range.contains(value)
        else { throw .invalid(name, "is no number from \(range.lowerBound) to \(range.upperBound)") }
        return value
    }

    func choice<Value: RawRepresentable<String>>(_ name: String, _ type: Value.Type) throws(Problem) -> Value? {
        guard let text = query(name) else { return nil }
        guard let value = Value(rawValue: text) else { throw .invalid(name, "is none of its values") }
        return value
    }

    /// A short text of the query that can stand in a row.
    func text(_ name: String) throws(Problem) -> String? {
        guard let text = query(name) else { return nil }
        guard text.unicodeScalars.count <= 200, !text.utf8.contains(0) else {
            throw .invalid(name, "has at most 200 characters and no NUL")
        }
        return text
    }

    /// The body as JSON.
    func decoded<Value: Decodable>(_ type: Value.Type) throws(Problem) -> Value {
        guard let media = header("Content-Type"), MediaType(media)?.name == "application/json",
            header("Content-Encoding") == nil
        else {
            throw ProblemType.unsupportedMediaType.problem("application/json is expected, as it is.")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ProblemType.invalidBody.problem(Self.place(of: error))
        } catch { throw ProblemType.invalidBody.problem() }
    }

    /// Which member is wrong; nothing of its value.
    private static func place(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "\((context.codingPath + [key]).map(\.stringValue).joined(separator: ".")) is missing."
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "The body is not the JSON that is expected."
                : "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is not of its form."
        @unknown default: "The body is not the JSON that is expected."
        }
    }
}

extension String {
    /// Checks a text of a body that goes into a row.
    func checked(_ name: String, upTo limit: Int) throws(Problem) -> String {
        guard (1...limit).contains(unicodeScalars.count), !utf8.contains(0) else {
            throw ProblemType.invalidBody.problem("\(name) has 1 to \(limit) characters and no NUL.")
        }
        return self
    }
}

/// A media type with its parameters.
///
/// - Source: RFC 9110 section 8.3.1.
package struct MediaType: Equatable {
    /// In lower case.
    package let name: String
    /// Names in lower case, values without their quotes.
    package let parameters: [String: String]

    /// Nil for what is none.
    package init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        let name = rest.prefix { $0 != UInt8(ascii: ";") }
        rest = rest.dropFirst(name.count)
        self.name = Self.trimmed(name).lowercased()
        guard self.name.split(separator: "/", omittingEmptySubsequences: false).count == 2 else { return nil }
        var parameters: [String: String] = [:]
        while let first = rest.first {
            guard first == UInt8(ascii: ";"), let (key, value) = Self.parameter(&rest) else { return nil }
            if key.isEmpty { continue }
            guard parameters.updateValue(value, forKey: key) == nil else { return nil }
        }
        self.parameters = parameters
    }

    /// One `; name=value`, where the value may be quoted; `;` alone gives an empty name.
    private static func parameter(_ rest: inout ArraySlice<UInt8>) -> (String, String)? {
        rest = rest.dropFirst()
        let key = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
        rest = rest.dropFirst(key.count)
        let name = trimmed(key).lowercased()
        guard rest.first == UInt8(ascii: "=") else { return name.isEmpty ? ("", "") : nil }
        rest = rest.dropFirst()
        guard rest.first == UInt8(ascii: "\"") else {
            let value = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(value.count)
            return (name, trimmed(value))
        }
        rest = rest.dropFirst()
        var value: [UInt8] = []
        while let octet = rest.popFirst(), octet != UInt8(ascii: "\"") {
            guard octet == UInt8(ascii: "\\") else {
                value.append(octet)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            value.append(escaped)
        }
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return (name, String(decoding: value, as: UTF8.self))
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> String {
        String(decoding: octets, as: UTF8.self).trimmingCharacters(in: .whitespaces)
    }
}
