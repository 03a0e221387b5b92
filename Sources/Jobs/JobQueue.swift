public import Postgres

/// The queue for tasks: every call works on one of the pool's threads and commits before it returns.
///
/// Inside a transaction of one's own, use ``JobLedger``.
public struct JobQueue: Sendable {
    public let pool: Pool
    public let timing: JobTiming
    let failpoint: (@Sendable (Failpoint) -> Void)?

    /// - Parameter failpoint: a seam for fault tests, called at each named place. Without it a claim, and an ending
    ///   without rows of its own, is one statement that commits by itself: a third of the round trips.
    public init(
        pool: Pool, timing: JobTiming = JobTiming(), failpoint: (@Sendable (Failpoint) -> Void)? = nil
    ) {
        self.pool = pool
        self.timing = timing
        self.failpoint = failpoint
    }

    public func enqueue(_ job: NewJob) async throws(JobsError) -> EnqueuedJob {
        try await run { (ledger) throws(JobsError) in try ledger.enqueue(job) }
    }

    public func claim(kinds: [String], limit: Int, owner: String) async throws(JobsError) -> [ClaimedJob] {
        guard let failpoint else {
            return try await run { [timing] (ledger) throws(JobsError) in
                try ledger.claim(kinds: kinds, limit: limit, owner: owner, timing: timing)
            }
        }
        let claimed = try await pool.transaction(beforeCommit: { failpoint(.beforeClaimCommits) }) {
            [timing] (transaction) throws(JobsError) in
            try JobLedger(transaction).claim(kinds: kinds, limit: limit, owner: owner, timing: timing)
        }
        if !claimed.isEmpty { failpoint(.afterClaim) }
        return claimed
    }

    public func heartbeat(_ beats: [Heartbeat]) async throws(JobsError) -> HeartbeatAnswer {
        try await run { [timing] (ledger) throws(JobsError) in try ledger.heartbeat(beats, timing: timing) }
    }

    /// Ends an attempt, and with it, when it completed, writes the rows of `alongside` in the same transaction.
    ///
    /// May be repeated after an answer was lost: an ending that this very attempt has already written is reported as
    /// written, although it changes nothing.
    public func finish(
        _ lease: Lease, _ ending: JobEnding,
        alongside: (@Sendable (Transaction) throws(PostgresError) -> Void)? = nil
    ) async throws(JobsError) -> FinishOutcome {
        let outcome = try await write(lease, ending, alongside)
        failpoint?(.afterFinish)
        guard outcome == .fenced else { return outcome }
        let job = try await get(lease.job)
        if job.state.isEnd && job.token == lease.token && job.reason != "quarantined" { return .written(job.state) }
        try await run { (ledger) throws(JobsError) in try ledger.noteFenced(lease) }
        return .fenced
    }

    private func write(
        _ lease: Lease, _ ending: JobEnding, _ alongside: (@Sendable (Transaction) throws(PostgresError) -> Void)?
    ) async throws(JobsError) -> FinishOutcome {
        if failpoint == nil, alongside == nil {
            return try await run { (ledger) throws(JobsError) in try ledger.finish(lease, ending) }
        }
        return try await pool.transaction(
            beforeCommit: { failpoint?(.beforeFinishCommits) }, commitSent: { failpoint?(.finishCommitSent) }
        ) { (transaction) throws(JobsError) in
            let outcome = try JobLedger(transaction).finish(lease, ending)
            guard outcome == .written(.completed), let alongside else { return outcome }
            // Another table's refusal is not the queue's: it keeps its SQLSTATE.
            do throws(PostgresError) { try alongside(transaction) } catch { throw JobsError.database(error) }
            return outcome
        }
    }

    public func cancel(_ id: JobID, reason: String = "cancelled") async throws(JobsError) -> CancelOutcome {
        try await run { (ledger) throws(JobsError) in try ledger.cancel(id, reason: reason) }
    }

    public func retry(_ id: JobID) async throws(JobsError) -> JobID {
        try await pool.transaction { (transaction) throws(JobsError) in try JobLedger(transaction).retry(id) }
    }

    public func prioritise(_ id: JobID, _ priority: Int16) async throws(JobsError) {
        try await run { (ledger) throws(JobsError) in try ledger.prioritise(id, priority) }
    }

    public func sweep() async throws(JobsError) -> SweepOutcome {
        try await run { [timing] (ledger) throws(JobsError) in try ledger.sweep(timing: timing) }
    }

    public func get(_ id: JobID) async throws(JobsError) -> Job {
        try await run { (ledger) throws(JobsError) in try ledger.get(id) }
    }

    public func list(
        _ filter: JobFilter = JobFilter(), before: JobID? = nil, limit: Int = 50
    ) async throws(JobsError) -> [Job] {
        try await run { (ledger) throws(JobsError) in try ledger.list(filter, before: before, limit: limit) }
    }

    public func log(of id: JobID) async throws(JobsError) -> [JobLogEntry] {
        try await run { (ledger) throws(JobsError) in try ledger.log(of: id) }
    }

    public func counts() async throws(JobsError) -> [JobCount] {
        try await run { (ledger) throws(JobsError) in try ledger.counts() }
    }

    public func prune(endedBefore age: Duration) async throws(JobsError) -> Int {
        try await run { (ledger) throws(JobsError) in try ledger.prune(endedBefore: age) }
    }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable (JobLedger<Connection>) throws(JobsError) -> Value
    ) async throws(JobsError) -> Value {
        try await pool.run { (connection) throws(JobsError) in try body(JobLedger(connection)) }
    }
}
