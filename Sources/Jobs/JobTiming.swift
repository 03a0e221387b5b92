/// How long what takes in the queue. With these defaults the job of a dead worker is free again within 60 s.
public struct JobTiming: Equatable, Sendable {
    /// An attempt belongs to its worker this long after its last renewal.
    public var lease: Duration = .seconds(45)
    public var heartbeat: Duration = .seconds(10)
    /// How often leases that ended and waits that are over are looked for.
    public var sweep: Duration = .seconds(15)
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

    /// The wait after the failure of an attempt counted from 1.
    public func retryWait(afterAttempt attempt: Int) -> Duration {
        // 2^20 times any wait is beyond every limit; more would overflow.
        min(longestRetryWait, firstRetryWait * (1 << min(max(attempt - 1, 0), 20)))
    }
}
