/// An entity tag.
///
/// - Source: RFC 9110 section 8.8.3.
public struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    public let value: String
    public let isWeak: Bool

    /// - Parameter value: the opaque tag without its quotes; printable ASCII without `"`.
    public init(_ value: String, isWeak: Bool = false) {
        precondition(
            value.utf8.allSatisfy { $0 > Octet.space && $0 < Octet.delete && $0 != UInt8(ascii: "\"") },
            "an entity tag is printable and holds no quote")
        self.value = value
        self.isWeak = isWeak
    }

    public var description: String { isWeak ? "W/\"\(value)\"" : "\"\(value)\"" }

    /// Whether an If-None-Match value names this tag, by weak comparison (RFC 9110 section 13.1.2).
    public func isNamed(byIfNoneMatch list: String) -> Bool {
        Self.isAny(list) || Self.parse(list).contains { $0.value == value }
    }

    /// Whether an If-Match value names this tag, by strong comparison (RFC 9110 section 13.1.1).
    public func isNamed(byIfMatch list: String) -> Bool {
        Self.isAny(list) || (!isWeak && Self.parse(list).contains(self))
    }

    /// The first tag of a list.
    public static func first(in list: String) -> EntityTag? { parse(list).first }

    /// The tags of a list; what is malformed is skipped, so it matches nothing.
    package static func parse(_ list: String) -> [EntityTag] {
        var tags: [EntityTag] = []
        var rest = Array(list.utf8)[...]
        while true {
            rest = rest.drop { $0 == Octet.space || $0 == Octet.tab || $0 == Octet.comma }
            let isWeak = rest.starts(with: "W/".utf8)
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == UInt8(ascii: "\""),
                let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\""))
            else { return tags }
            let opaque = rest[(rest.startIndex + 1)..<end]
            if opaque.allSatisfy({ $0 > Octet.space && $0 < Octet.delete }) {
                tags.append(EntityTag(String(decoding: opaque, as: UTF8.self), isWeak: isWeak))
            }
            rest = rest[(end + 1)...]
        }
    }

    private static func isAny(_ list: String) -> Bool {
        list == "*"
    }
}
