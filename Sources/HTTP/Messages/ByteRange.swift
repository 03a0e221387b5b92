/// A single range of octets that a client asks for.
///
/// - Source: RFC 9110 section 14.1.2.
package enum ByteRange: Equatable, Sendable {
    case closed(first: Int, last: Int)
    case from(first: Int)
    case suffix(count: Int)

    /// Nil for what is malformed, in another unit or a set of several ranges: Range is then ignored (section 14.2).
    package init?(_ value: String) {
        let octets = Array(value.utf8)[...]
        guard octets.starts(with: "bytes=".utf8), let dash = octets.firstIndex(of: UInt8(ascii: "-")) else {
            return nil
        }
        let before = octets[..<dash].dropFirst(6)
        let after = octets[(dash + 1)...]
        switch (before.isEmpty, after.isEmpty) {
        case (true, true): return nil
        case (true, false):
            guard let count = Octet.decimal(after) else { return nil }
            self = .suffix(count: count)
        case (false, true):
            guard let first = Octet.decimal(before) else { return nil }
            self = .from(first: first)
        case (false, false):
            guard let first = Octet.decimal(before), let last = Octet.decimal(after), first <= last else { return nil }
            self = .closed(first: first, last: last)
        }
    }

    /// The part of `size` octets that is meant, or nil when there is none (416).
    package func resolved(size: Int) -> Range<Int>? {
        switch self {
        case .closed(let first, let last): first < size ? first..<(min(last, size - 1) + 1) : nil
        case .from(let first): first < size ? first..<size : nil
        case .suffix(let count): count > 0 && size > 0 ? max(0, size - count)..<size : nil
        }
    }
}
