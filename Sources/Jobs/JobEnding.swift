/// How an attempt ends, as its worker sees it.
public enum JobEnding: Equatable, Sendable {
    /// With its result as JSON text.
    case completed(result: String?)
    /// Failed; it is tried again after `delay` unless that was the last attempt.
    case retry(after: Duration, reason: String)
    /// Failed for good.
    case discard(reason: String)
    /// Not yet: later, without counting as an attempt.
    case snooze(Duration, reason: String)
    /// Its worker stops: at once, without counting as an attempt.
    case giveBack
    case cancelled(reason: String)
}

/// What became of a write that ends an attempt.
public enum FinishOutcome: Equatable, Sendable {
    /// The job's state now. A cancel that was asked for wins over every other ending.
    case written(JobState)
    /// Somebody else holds the job, or nobody: nothing was changed.
    case fenced
}

/// What became of a request to cancel.
public enum CancelOutcome: Equatable, Sendable {
    case cancelled
    /// It runs; its worker is told, and whatever it writes from now on cancels it.
    case requested
    case alreadyEnded(JobState)
}

/// What a worker reports about one of its jobs.
public struct Heartbeat: Equatable, Sendable {
    public let lease: Lease
    /// From 0 to 1; `nil` leaves what was reported before.
    public let progress: Double?
    public let stage: String?

    public init(lease: Lease, progress: Double? = nil, stage: String? = nil) {
        self.lease = lease
        self.progress = progress
        self.stage = stage
    }
}

/// The answer to a batch of heartbeats.
public struct HeartbeatAnswer: Equatable, Sendable {
    public let renewed: Set<JobID>
    /// Among the renewed, those that shall stop.
    public let cancelRequested: Set<JobID>
    /// Those whose lease is another's by now, or past its deadline.
    public let lost: Set<JobID>
}

/// What a sweep found.
public struct SweepOutcome: Equatable, Sendable {
    public let rescued: [JobID]
    public let quarantined: [JobID]
    public let cancelled: [JobID]
    /// Failed jobs whose wait is over.
    public let promotedCount: Int

    public init(rescued: [JobID], quarantined: [JobID], cancelled: [JobID], promotedCount: Int) {
        self.rescued = rescued
        self.quarantined = quarantined
        self.cancelled = cancelled
        self.promotedCount = promotedCount
    }
}

/// One figure for the metrics page.
public struct JobCount: Equatable, Sendable {
    public let kind: String
    public let state: JobState
    public let count: Int
    /// How long the job that could have started first has been waiting; zero unless the state is available.
    public let oldestWaitSeconds: Double
    public let rescueCount: Int
}

/// Which jobs to list, newest first.
public struct JobFilter: Equatable, Sendable {
    public var kinds: [String]?
    public var states: Set<JobState>?

    public init(kinds: [String]? = nil, states: Set<JobState>? = nil) {
        self.kinds = kinds
        self.states = states
    }
}

/// One entry of a job's log.
public struct JobLogEntry: Equatable, Sendable {
    /// Seconds since 1970 UTC.
    public let at: Double
    public let event: String
    public let attempt: Int
    public let token: LeaseToken?
    public let owner: String?
    public let reason: String?
}
