/// The fields of an answer, in order.
///
/// Date, Connection, Content-Length and Transfer-Encoding belong to the server and cannot be set.
public struct Fields: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public struct Line: Sendable, Equatable {
        public let name: String
        public let value: String
    }

    public private(set) var lines: [Line] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }

    /// Appends a field. A name is a programmer's literal; a value may be any text, but one with control octets makes
    /// the answer a 500.
    public mutating func add(_ name: String, _ value: String) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy { OctetSet.token.contains($0) }, "a field name is a token")
        precondition(!Self.ownedByServer.contains { Self.isSame($0, name) }, "the server sets \(name) itself")
        lines.append(Line(name: name, value: value))
    }

    /// Removes what stands under a name and appends the value.
    public mutating func set(_ name: String, _ value: String) {
        keep { !Self.isSame($0, name) }
        add(name, value)
    }

    public subscript(name: String) -> String? {
        lines.first { Self.isSame($0.name, name) }?.value
    }

    /// Keeps the fields whose name passes.
    mutating func keep(where keeps: (String) -> Bool) {
        lines.removeAll { !keeps($0.name) }
    }

    /// RFC 9110 section 5.5: no control octets, so no value can end its line.
    var areWellFormed: Bool {
        lines.allSatisfy { line in
            line.value.utf8.allSatisfy { ($0 >= Octet.space && $0 != Octet.delete) || $0 == Octet.tab }
        }
    }

    private static let ownedByServer = ["date", "connection", "content-length", "transfer-encoding"]

    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { Octet.lowercased($0) == Octet.lowercased($1) }
    }
}
