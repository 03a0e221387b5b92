public import Postgres

/// The queue's operations on a connection or inside somebody's transaction, so that an application's own rows are
/// committed together with the job's.
///
/// Blocks the calling thread; ``JobQueue`` is the same for tasks.
public struct JobLedger<Runner: StatementRunner> {
    private let runner: Runner

    public init(_ runner: Runner) {
        self.runner = runner
    }

    /// Adds a job, or finds the live one with its key.
    ///
    /// - Throws: ``JobsError/invalidJSON``, ``JobsError/unknownDependency``, ``JobsError/documentTooLarge(bytes:limit:)``.
    public func enqueue(_ job: NewJob) throws(JobsError) -> EnqueuedJob {
        try JobLimits.check(document: job.payload)
        let parameters: [Parameter] = [
            .text(job.kind), .optional(job.key), .integer(Int64(job.priority)), .json(job.payload),
            .integer(Int64(job.attemptLimit)), .seconds(job.delay), .optional(job.dependsOn?.rawValue),
        ]
        // Nothing comes back when the live job appeared, or the last one ended, while the statement ran.
        for _ in 0..<JobLimits.enqueueAttempts {
            guard let row = try query(JobStatements.enqueue, parameters).first else { continue }
            do throws(PostgresError) {
                return EnqueuedJob(id: JobID(rawValue: try row["id"]), isNew: try row["is_new"])
            } catch { throw .database(error) }
        }
        throw .keyContended
    }

    /// Takes up to `limit` jobs that may start now, by priority and then in the order they came.
    public func claim(
        kinds: [String], limit: Int, owner: String, timing: JobTiming
    ) throws(JobsError) -> [ClaimedJob] {
        let rows = try query(
            JobStatements.claim(limit: min(max(limit, 0), JobLimits.claimBatch)),
            [.texts(kinds), .text(owner), .seconds(timing.lease), .seconds(timing.runLimit + timing.lease)])
        do throws(PostgresError) {
            var claimed: [ClaimedJob] = []
            for row in rows { claimed.append(try ClaimedJob(row)) }
            return claimed
        } catch { throw .database(error) }
    }

    /// Renews the leases of one worker's jobs and stores their progress.
    public func heartbeat(_ beats: [Heartbeat], timing: JobTiming) throws(JobsError) -> HeartbeatAnswer {
        let rows = try query(
            JobStatements.heartbeat,
            [
                .integers(beats.map(\.lease.job.rawValue)), .integers(beats.map(\.lease.token.rawValue)),
                .doubles(beats.map(\.progress)), .texts(beats.map(\.stage)), .seconds(timing.lease),
            ])
        do throws(PostgresError) {
            var renewed: Set<JobID> = []
            var cancelRequested: Set<JobID> = []
            for row in rows {
                let id = JobID(rawValue: try row["id"])
                renewed.insert(id)
                if try row["cancel_requested"] { cancelRequested.insert(id) }
            }
            return HeartbeatAnswer(
                renewed: renewed, cancelRequested: cancelRequested,
                lost: Set(beats.map(\.lease.job)).subtracting(renewed))
        } catch { throw .database(error) }
    }

    /// Ends an attempt: state, result, log and notification in one statement.
    ///
    /// Rows of the attempt's result belong into the same transaction, written only when this returns
    /// `.written(.completed)`.
    public func finish(_ lease: Lease, _ ending: JobEnding) throws(JobsError) -> FinishOutcome {
        if case .completed(let result?) = ending { try JobLimits.check(document: result) }
        let parts = ending.parts
        let rows = try query(
            JobStatements.finish,
            [
                .integer(lease.job.rawValue), .integer(lease.token.rawValue), .text(parts.name),
                .optional(json: parts.result), .optional(parts.reason), .seconds(parts.delay),
            ])
        guard let row = rows.first else { return .fenced }
        return .written(try JobState(row))
    }

    /// Leaves a word in the log of a job that an attempt came too late for. The job itself is not touched.
    func noteFenced(_ lease: Lease) throws(JobsError) {
        _ = try query(JobStatements.noteFenced, [.integer(lease.job.rawValue), .integer(lease.token.rawValue)])
    }

    /// Cancels a job that waits; asks the worker of one that runs.
    ///
    /// - Throws: ``JobsError/unknownJob(_:)``
    public func cancel(_ id: JobID, reason: String = "cancelled") throws(JobsError) -> CancelOutcome {
        if let row = try query(JobStatements.cancel, [.integer(id.rawValue), .text(reason)]).first {
            return try JobState(row) == .running ? .requested : .cancelled
        }
        // A statement of its own, because it must see what ended while the first one waited for the row.
        return .alreadyEnded(try get(id).state)
    }

    /// Tries a waiting job now; enqueues a discarded or cancelled one anew, since an ended job stays as it ended.
    ///
    /// - Returns: the job that will run, which is another than `id` when that had ended.
    /// - Throws: ``JobsError/notRetryable(_:)`` when it runs or has completed.
    public func retry(_ id: JobID) throws(JobsError) -> JobID {
        for statement in [JobStatements.hasten, JobStatements.repeatEnded, JobReadStatements.liveWithKey] {
            guard let row = try query(statement, [.integer(id.rawValue)]).first else { continue }
            do throws(PostgresError) {
                let found = JobID(rawValue: try row["id"])
                // Only the key's other job may stand in; the job itself runs.
                if statement != JobReadStatements.liveWithKey || found != id { return found }
            } catch { throw .database(error) }
        }
        throw .notRetryable(try get(id).state)
    }

    /// Moves a job that has not ended before or behind others; one that runs keeps running.
    ///
    /// - Throws: ``JobsError/unknownJob(_:)``, ``JobsError/alreadyEnded(_:)``
    public func prioritise(_ id: JobID, _ priority: Int16) throws(JobsError) {
        let rows = try query(JobStatements.prioritise, [.integer(id.rawValue), .integer(Int64(priority))])
        if rows.isEmpty { throw .alreadyEnded(try get(id).state) }
    }

    /// Frees jobs whose lease ended and failed ones whose wait is over. Any worker may do it; no leader is needed.
    public func sweep(timing: JobTiming) throws(JobsError) -> SweepOutcome {
        let limit = Parameter.integer(JobLimits.sweepBatch)
        let promoted = try query(JobStatements.promote, [limit]).count
        var found: [JobState: [JobID]] = [:]
        for row in try query(JobStatements.reap, [.integer(Int64(timing.rescueLimit)), limit]) {
            let state = try JobState(row)
            do throws(PostgresError) {
                found[state, default: []].append(JobID(rawValue: try row["id"]))
            } catch { throw .database(error) }
        }
        return SweepOutcome(
            rescued: found[.available] ?? [], quarantined: found[.discarded] ?? [],
            cancelled: found[.cancelled] ?? [], promotedCount: promoted)
    }

    func query(_ statement: Statement, _ parameters: [Parameter] = []) throws(JobsError) -> Rows {
        do throws(PostgresError) { return try runner.query(statement, parameters) } catch { throw JobsError(error) }
    }
}

extension JobEnding {
    /// What the finishing statement is told.
    fileprivate var parts: (name: String, result: String?, reason: String?, delay: Duration) {
        switch self {
        case .completed(let result): ("completed", result, nil, .zero)
        case .retry(let delay, let reason): ("retry", nil, reason, delay)
        case .discard(let reason): ("discarded", nil, reason, .zero)
        case .snooze(let delay, let reason): ("snooze", nil, reason, delay)
        case .giveBack: ("give_back", nil, "given_back", .zero)
        case .cancelled(let reason): ("cancelled", nil, reason, .zero)
        }
    }
}

/// The queue's named limits.
enum JobLimits {
    static let documentBytes = 1 << 20
    static let enqueueAttempts = 10
    /// Also how many forms of the claiming statement a session may come to hold.
    static let claimBatch = 64
    static let sweepBatch: Int64 = 500
    static let pageSize = 500
    static let logEntries: Int64 = 1000
    static let pruneBatch: Int64 = 1000

    static func check(document: String) throws(JobsError) {
        let count = document.utf8.count
        if count > documentBytes { throw .documentTooLarge(bytes: count, limit: documentBytes) }
    }
}
