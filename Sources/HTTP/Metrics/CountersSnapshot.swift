/// The server's counters at one moment, for a metrics page.
public struct CountersSnapshot: Sendable, Equatable {
    /// One line of the request counter.
    public struct Key: Sendable, Hashable {
        /// Empty when no route matched or the request could not be read.
        public let routePattern: String
        /// Nil when the request could not be read.
        public let method: Method?
        public let status: Int

        public init(routePattern: String, method: Method?, status: Int) {
            self.routePattern = routePattern
            self.method = method
            self.status = status
        }
    }

    public internal(set) var connectionsOpen = 0
    public internal(set) var connectionsAccepted = 0
    /// Turned away at a cap.
    public internal(set) var connectionsRefused = 0
    public internal(set) var requests: [Key: Int] = [:]
    /// Durations by route pattern.
    public internal(set) var durations: [String: DurationHistogram] = [:]

    mutating func add(_ other: CountersSnapshot) {
        connectionsOpen += other.connectionsOpen
        connectionsAccepted += other.connectionsAccepted
        connectionsRefused += other.connectionsRefused
        requests.merge(other.requests, uniquingKeysWith: +)
        durations.merge(other.durations) { $0.adding($1) }
    }
}

/// Durations counted in buckets, as Prometheus wants them but not yet summed up.
public struct DurationHistogram: Sendable, Equatable {
    /// - Units: upper bounds in seconds; a last bucket without bound follows them.
    public static let upperBoundsSeconds: [Double] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]
    private static let upperBounds: [Duration] = upperBoundsSeconds.map { .seconds($0) }

    /// The count in each bucket, not cumulative.
    public private(set) var counts = [Int](repeating: 0, count: upperBoundsSeconds.count + 1)
    public private(set) var sum = Duration.zero

    public init() {}

    mutating func record(_ duration: Duration) {
        counts[Self.upperBounds.firstIndex { duration <= $0 } ?? Self.upperBounds.count] += 1
        sum += duration
    }

    func adding(_ other: DurationHistogram) -> DurationHistogram {
        var total = self
        for index in counts.indices { total.counts[index] += other.counts[index] }
        total.sum += other.sum
        return total
    }
}
