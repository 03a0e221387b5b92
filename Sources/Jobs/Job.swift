/// A job's number; a later job has a higher one.
public struct JobID: RawRepresentable, Hashable, Comparable, Codable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static func < (left: JobID, right: JobID) -> Bool { left.rawValue < right.rawValue }
}

/// The number of one attempt, out of a sequence that only grows: a write with an old one changes nothing.
public struct LeaseToken: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public static func < (left: LeaseToken, right: LeaseToken) -> Bool { left.rawValue < right.rawValue }
}

/// A job and the attempt that somebody holds of it.
public struct Lease: Hashable, Sendable {
    public let job: JobID
    public let token: LeaseToken

    public init(job: JobID, token: LeaseToken) {
        self.job = job
        self.token = token
    }
}

/// A job to be enqueued.
public struct NewJob: Equatable, Sendable {
    public var kind: String
    /// JSON text.
    public var payload: String
    /// While a job with this key is live, enqueueing it again gives that job.
    public var key: String?
    /// Lower goes first.
    public var priority: Int16
    public var attemptLimit: Int16
    public var delay: Duration
    /// The job waits until this one has ended, however it ends.
    public var dependsOn: JobID?

    public init(
        kind: String, payload: String, key: String? = nil, priority: Int16 = 100, attemptLimit: Int16 = 5,
        delay: Duration = .zero, dependsOn: JobID? = nil
    ) {
        self.kind = kind
        self.payload = payload
        self.key = key
        self.priority = priority
        self.attemptLimit = attemptLimit
        self.delay = delay
        self.dependsOn = dependsOn
    }
}

/// What became of an enqueued job.
public struct EnqueuedJob: Equatable, Sendable {
    public let id: JobID
    /// False when a live job already had the key.
    public let isNew: Bool
}

/// A job as readers see it.
///
/// - Units: instants in seconds since 1970 UTC by the database's clock.
public struct Job: Equatable, Sendable {
    public let id: JobID
    public let kind: String
    public let key: String?
    public let state: JobState
    public let priority: Int
    public let payload: String
    public let attempt: Int
    public let attemptLimit: Int
    public let rescueCount: Int
    /// The token of the latest attempt.
    public let token: LeaseToken?
    public let owner: String?
    public let leaseExpiresAt: Double?
    public let runAt: Double
    /// From 0 to 1.
    public let progress: Double?
    public let stage: String?
    public let isCancelRequested: Bool
    public let dependsOn: JobID?
    public let retryOf: JobID?
    public let result: String?
    public let reason: String?
    public let revision: Int64
    public let createdAt: Double
    public let startedAt: Double?
    public let finishedAt: Double?
}

/// A job that was claimed, as its worker sees it.
public struct ClaimedJob: Equatable, Sendable {
    public let lease: Lease
    public let kind: String
    public let key: String?
    /// JSON text.
    public let payload: String
    public let attempt: Int
    public let attemptLimit: Int
    public let rescueCount: Int

    public var id: JobID { lease.job }
}
