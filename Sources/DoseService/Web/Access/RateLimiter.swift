import HTTP
import Synchronization

/// How often somebody may ask: a bucket of tokens for each, filled at a steady rate.
package final class RateLimiter: Sendable {
    package enum Caller: Hashable, Sendable {
        case key(Int64)
        /// For IPv6 the /64 prefix, which is what one subscriber holds.
        case address(UInt64)

        init(_ peer: PeerAddress) { self = .address(peer.high == 0 ? peer.low : peer.high) }
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: ContinuousClock.Instant
    }

    /// When so many are remembered, those whose bucket is full again are forgotten.
    private static let memoryLimit = 10_000

    private let perSecond: Double
    private let burst: Double
    private let buckets = Mutex<[Caller: Bucket]>([:])

    /// - Parameter perSecond: 0 for no limit.
    package init(perSecond: Double, burst: Double) { (self.perSecond, self.burst) = (perSecond, burst) }

    /// Takes a token.
    ///
    /// - Returns: nil when there was one, or how long until there will be.
    package func take(_ caller: Caller, now: ContinuousClock.Instant) -> Duration? {
        guard perSecond > 0 else { return nil }
        return buckets.withLock { buckets in
            if buckets.count >= Self.memoryLimit, buckets[caller] == nil {
                buckets = buckets.filter { tokens(in: $0.value, now) < burst }
                // All are busy: nobody new until one is not.
                if buckets.count >= Self.memoryLimit { return .seconds(1) }
            }
            var bucket = buckets[caller] ?? Bucket(tokens: burst, filledAt: now)
            bucket = Bucket(tokens: tokens(in: bucket, now), filledAt: max(now, bucket.filledAt))
            defer { buckets[caller] = bucket }
            guard bucket.tokens >= 1 else { return .seconds((1 - bucket.tokens) / perSecond) }
            bucket.tokens -= 1
            return nil
        }
    }

    private func tokens(in bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        let passed = max(.zero, now - bucket.filledAt) / .seconds(1)
        return min(burst, bucket.tokens + passed * perSecond)
    }
}
