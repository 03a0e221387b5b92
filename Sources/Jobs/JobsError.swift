public import Postgres

/// What can go wrong with the queue. Codes and numbers only: payloads and results stay out.
public enum JobsError: Error, Equatable, Sendable {
    case database(PostgresError)
    /// A payload or a result is not JSON.
    case invalidJSON
    case documentTooLarge(bytes: Int, limit: Int)
    case unknownJob(JobID)
    /// The job to wait for does not exist (any more).
    case unknownDependency
    /// The job cannot be retried from where it stands.
    case notRetryable(JobState)
    /// What has ended stays as it ended.
    case alreadyEnded(JobState)
    /// Jobs with this key kept ending and beginning while it was enqueued.
    case keyContended
    /// A row of the job table holds a state this program does not know.
    case unknownState(String)
    /// No child could be started; the error number is the system's.
    case childNotStarted(errno: Int32)
    /// A child's request spans several lines.
    case requestNotOneLine
}

extension JobsError: PostgresFailure {
    /// Names the refusals that the queue's own statements can meet.
    public init(_ error: PostgresError) {
        switch error.sqlState {
        case SQLState("22P02"), SQLState("22P05"): self = .invalidJSON
        case .foreignKeyViolation: self = .unknownDependency
        default: self = .database(error)
        }
    }

    public var postgresError: PostgresError? {
        if case .database(let error) = self { error } else { nil }
    }
}
