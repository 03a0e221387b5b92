public import HTTP

/// The server's bounds by the names that settings call them.
public enum LimitNames {
    private static var counts: [String: WritableKeyPath<Limits, Int>] {
        [
            "connections": \.connectionLimit,
            "connections-per-address": \.connectionsPerAddressLimit,
            "requests-per-connection": \.requestsPerConnectionLimit,
            "request-line-bytes": \.requestLineBytesLimit,
            "field-bytes": \.fieldBytesLimit,
            "field-count": \.fieldCountLimit,
            "buffered-body-bytes": \.bufferedBodyBytesLimit,
            "transfer-bytes-per-second": \.transferBytesPerSecondMinimum,
            "blocking-threads": \.blockingThreadCount,
            "blocking-queue": \.blockingQueueLimit,
        ]
    }

    private static var seconds: [String: WritableKeyPath<Limits, Duration>] {
        [
            "head-seconds": \.headDeadline,
            "idle-seconds": \.idleDeadline,
            "body-window-seconds": \.bodyWindow,
            "write-window-seconds": \.writeWindow,
            "linger-seconds": \.lingerDeadline,
        ]
    }

    public static var all: [String] { (Array(counts.keys) + Array(seconds.keys)).sorted() }

    /// Applies `NAME=NUMBER`.
    ///
    /// - Returns: false when there is no such name, or the number is not positive.
    public static func set(_ text: String, in limits: inout Limits) -> Bool {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, sides[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(sides[1]),
            value > 0
        else { return false }
        if let path = counts[String(sides[0])] {
            limits[keyPath: path] = value
        } else if let path = seconds[String(sides[0])] {
            limits[keyPath: path] = .seconds(min(value, 86_400))
        } else {
            return false
        }
        return true
    }
}
