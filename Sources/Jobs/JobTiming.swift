/// How long what takes in the queue. With these defaults the job of a dead worker is free again within 60 s.
public struct JobTiming: Equatable, Sendable {
    /// An attempt belongs to its worker this long after its last renewal.
    public var lease: Duration = .seconds(45)
    public var heartbeat: Duration = .seconds(10)
    /// How often leases that ended and waits that are over are looked for. With the lease it is less than a minute by
    /// more than a query takes.
    public var sweep: Duration = .seconds(10)
    /// How often available jobs are looked for when no notification comes.
    public var poll: Duration = .seconds(5)
    /// A worker stops itself this long before its lease ends.
    public var leaseMargin: Duration = .seconds(5)
    /// How often a worker looks at its own clock.
    public var watch: Duration = .milliseconds(500)
    /// An attempt that runs longer is stopped.
    public var runLimit: Duration = .seconds(6 * 3600)
    /// The wait after a first failure; it doubles with each further one.
    public var firstRetryWait: Duration = .seconds(10)
    public var longestRetryWait: Duration = .seconds(3600)
    /// How long a stopping worker waits for its jobs before it leaves them to the sweep.
    public var shutdownGrace: Duration = .seconds(20)
    /// A job that so many workers died with is discarded.
    public var rescueLimit = 2

    public init() {}

    /// The usual proportions around another lease; only shorter leases make the rest shorter.
    public init(lease: Duration) {
        self.init()
        let usual = self.lease
        func scaled(_ duration: Duration) -> Duration { min(duration, duration * (lease / usual)) }
        (self.lease, leaseMargin, heartbeat) = (lease, scaled(leaseMargin), scaled(heartbeat))
        (sweep, watch) = (scaled(sweep), scaled(watch))
    }

    /// The wait after the failure of an attempt counted from 1: half of it for sure and the rest by chance, so that jobs
    /// that failed together do not come back together.
    ///
    /// - Parameter chance: from 0 to 1, where 1 gives the full wait.
    public func retryWait(afterAttempt attempt: Int, chance: Double) -> Duration {
        // 2^20 times any wait is beyond every limit; more would overflow.
        let full = min(longestRetryWait, firstRetryWait * (1 << min(max(attempt - 1, 0), 20)))
        return full * (0.5 + 0.5 * min(max(chance, 0), 1))
    }
}
