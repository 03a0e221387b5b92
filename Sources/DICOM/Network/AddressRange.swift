import Glibc

/// Addresses that begin with the same bits, such as `10.1.2.0/24`, `::1` or `fd00::/8`.
///
/// - Source: RFC 4632 section 3.1 and RFC 4291 section 2.3.
public struct AddressRange: Equatable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]
    private let prefixBitCount: Int

    /// - Parameter text: a numeric address, alone or with the number of its bits that count.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = Self.bytes(of: String(parts[0])) else { return nil }
        var prefix = bytes.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let stated = Int(parts[1]), stated <= prefix
            else { return nil }
            prefix = stated
        }
        (self.bytes, prefixBitCount) = (bytes, prefix)
    }

    /// This machine under its loopback addresses.
    public static let loopback = [AddressRange(loopback: [127, 0, 0, 0], 8), ipv6Loopback]
    private static let ipv6Loopback = AddressRange(loopback: [UInt8](repeating: 0, count: 15) + [1], 128)

    private init(loopback bytes: [UInt8], _ prefixBitCount: Int) {
        (self.bytes, self.prefixBitCount) = (bytes, prefixBitCount)
    }

    public func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        let (whole, rest) = prefixBitCount.quotientAndRemainder(dividingBy: 8)
        guard bytes[..<whole] == other[..<whole] else { return false }
        guard rest > 0 else { return true }
        return (bytes[whole] ^ other[whole]) >> (8 - rest) == 0
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(address)/\(prefixBitCount)"
    }

    private static func bytes(of text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}
