public import Postgres

/// What a job throws to say how its attempt shall end; anything else that it throws is a failure to be retried.
public enum JobDecision: Error, Equatable, Sendable {
    /// Failed; tried again after the given wait, or after one that doubles with each attempt.
    case retry(after: Duration? = nil, reason: String)
    /// Failed for good.
    case discard(reason: String)
    /// Not yet; does not count as an attempt.
    case snooze(Duration, reason: String)
    case cancel(reason: String)
}

/// What a job returns when it has done its work.
public struct JobResult: Sendable {
    /// JSON text, kept with the job.
    public let json: String?
    /// Writes the application's rows in the transaction that completes the job; not called when the job was cancelled or
    /// lost meanwhile.
    public let alongside: (@Sendable (Transaction) throws(PostgresError) -> Void)?

    public init(json: String? = nil, alongside: (@Sendable (Transaction) throws(PostgresError) -> Void)? = nil) {
        self.json = json
        self.alongside = alongside
    }
}

/// Why a worker stops an attempt.
public enum StopReason: String, Equatable, Sendable {
    case cancelRequested, leaseLost, runLimit, shutdown
}

/// What a worker tells whoever logs and counts. Nothing in it identifies a patient.
public enum WorkerEvent: Equatable, Sendable {
    case claimed(ClaimedJob)
    case ended(ClaimedJob, JobState)
    /// A write came too late: the job was another's, or had ended.
    case fenced(ClaimedJob)
    /// An attempt was stopped before it was done.
    case stopped(ClaimedJob, StopReason)
    case swept(SweepOutcome)
    case failed(JobsError)
}

/// What a running job knows of its attempt and can say about it. Its task is cancelled when it shall stop.
public struct JobContext: Sendable {
    public let lease: Lease
    let active: ActiveJobs
    let failpoint: @Sendable (Failpoint) -> Void

    /// Reports how far the job is; it is stored with the next heartbeat.
    ///
    /// - Parameters:
    ///   - progress: from 0 to 1.
    ///   - stage: a short name of what is being done.
    public func report(progress: Double, stage: String? = nil) {
        active.report(lease, progress: progress, stage: stage)
    }

    /// Marks a place where a fault test may stop or kill the program.
    public func reach(_ failpoint: Failpoint) { self.failpoint(failpoint) }

    /// Set once the job shall stop.
    public var stopReason: StopReason? { active.stopReason(lease) }
}
