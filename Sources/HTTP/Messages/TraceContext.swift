/// Which trace a request belongs to: what the client's `traceparent` says, or a new one.
///
/// - Source: W3C Trace Context, section 3.2.
public struct TraceContext: Sendable, Hashable {
    public let high: UInt64
    public let low: UInt64

    package init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// Nil for what the standard calls invalid, which is to be treated as if it had not come.
    package init?(traceparent octets: ArraySlice<UInt8>) {
        let parts = octets.split(separator: UInt8(ascii: "-"), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16, parts[3].count == 2,
            let version = Self.number(parts[0]), version != 0xFF, version != 0 || parts.count == 4,
            let high = Self.number(parts[1].prefix(16)), let low = Self.number(parts[1].suffix(16)),
            let parent = Self.number(parts[2]), Self.number(parts[3]) != nil, high | low != 0, parent != 0
        else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// Nil for what are not 32 lower-case hexadecimal digits, or all zero.
    package init?(traceID: String) {
        let digits = Array(traceID.utf8)
        guard digits.count == 32, let high = Self.number(digits[..<16]), let low = Self.number(digits[16...]),
            high | low != 0
        else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// One that nobody else has.
    package static func random() -> TraceContext {
        TraceContext(high: .random(in: 1...UInt64.max), low: .random(in: 1...UInt64.max))
    }

    /// What is passed on, for those who look at it (section 3.2.2); the parent's number is made up.
    package var traceparent: String { "00-\(traceID)-\(Self.hexadecimal(.random(in: 1...UInt64.max)))-01" }

    /// 32 lower-case hexadecimal digits.
    public var traceID: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Lower-case digits only.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }
}

/// Numbers traces that no client has numbered: unlike any other's, and cheap.
struct TraceNumbers {
    private let high = UInt64.random(in: 1...UInt64.max)
    private var state = UInt64.random(in: 1...UInt64.max)

    /// - Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014), `mix64variant13`.
    mutating func next() -> TraceContext {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return TraceContext(high: high, low: mixed ^ (mixed >> 31))
    }
}
