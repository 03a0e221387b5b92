import Postgres

extension JobLedger {
    /// - Throws: ``JobsError/unknownJob(_:)``
    public func get(_ id: JobID) throws(JobsError) -> Job {
        guard let row = try query(JobReadStatements.get, [.integer(id.rawValue)]).first else { throw .unknownJob(id) }
        return try Job(row)
    }

    /// Those of the jobs that are there, in no order.
    public func get(_ ids: Set<JobID>) throws(JobsError) -> [Job] {
        var jobs: [Job] = []
        for row in try query(JobReadStatements.getSeveral, [.integers(ids.map(\.rawValue))]) {
            jobs.append(try Job(row))
        }
        return jobs
    }

    /// A page of jobs, newest first.
    ///
    /// - Parameters:
    ///   - before: the last job of the page before; `nil` for the first page.
    ///   - limit: at most 500.
    public func list(_ filter: JobFilter = JobFilter(), before: JobID? = nil, limit: Int = 50) throws(JobsError)
        -> [Job]
    {
        let rows = try query(
            JobReadStatements.list,
            [
                .optional(before?.rawValue), filter.kinds.map { .texts($0) } ?? .null,
                filter.states.map { .texts($0.map(\.rawValue)) } ?? .null,
                .integer(Int64(min(max(limit, 1), JobLimits.pageSize))),
            ])
        var jobs: [Job] = []
        for row in rows { jobs.append(try Job(row)) }
        return jobs
    }

    /// What happened to a job, oldest first; the first 1 000 entries.
    public func log(of id: JobID) throws(JobsError) -> [JobLogEntry] {
        let rows = try query(JobReadStatements.log, [.integer(id.rawValue), .integer(JobLimits.logEntries)])
        do throws(PostgresError) {
            var entries: [JobLogEntry] = []
            for row in rows {
                let token: Int64? = try row["lease_token"]
                entries.append(
                    JobLogEntry(
                        at: try row["at"], event: try row["event"], attempt: try row["attempt"],
                        token: token.map(LeaseToken.init), owner: try row["owner"], reason: try row["reason"]))
            }
            return entries
        } catch { throw .database(error) }
    }

    /// How many jobs of each kind stand in each state.
    public func counts() throws(JobsError) -> [JobCount] {
        let rows = try query(JobReadStatements.counts)
        var counts: [JobCount] = []
        for row in rows {
            let state = try JobState(row)
            do throws(PostgresError) {
                counts.append(
                    JobCount(
                        kind: try row["kind"], state: state, count: try row["count"],
                        oldestWaitSeconds: try row["oldest_wait"], rescueCount: try row["rescues"]))
            } catch { throw .database(error) }
        }
        return counts
    }

    /// Removes jobs that ended longer ago than `age`, with their logs, at most 1 000 at a time.
    ///
    /// - Returns: how many went.
    public func prune(endedBefore age: Duration) throws(JobsError) -> Int {
        try query(JobReadStatements.prune, [.seconds(age), .integer(JobLimits.pruneBatch)]).affectedCount
    }
}

extension JobState {
    /// Reads the column `state`.
    init(_ row: Row) throws(JobsError) {
        let name: String
        do throws(PostgresError) { name = try row["state"] } catch { throw .database(error) }
        guard let state = JobState(rawValue: name) else { throw .unknownState(name) }
        self = state
    }
}

extension ClaimedJob {
    init(_ row: Row) throws(PostgresError) {
        self.init(
            lease: Lease(job: JobID(rawValue: try row["id"]), token: LeaseToken(rawValue: try row["lease_token"])),
            kind: try row["kind"], key: try row["key"], payload: try row["payload"], attempt: try row["attempt"],
            attemptLimit: try row["attempt_limit"], rescueCount: try row["rescue_count"])
    }
}

extension Job {
    init(_ row: Row) throws(JobsError) {
        let state = try JobState(row)
        do throws(PostgresError) {
            let token: Int64? = try row["lease_token"]
            let dependsOn: Int64? = try row["depends_on"]
            let retryOf: Int64? = try row["retry_of"]
            self.init(
                id: JobID(rawValue: try row["id"]), kind: try row["kind"], key: try row["key"], state: state,
                priority: try row["priority"], payload: try row["payload"], attempt: try row["attempt"],
                attemptLimit: try row["attempt_limit"], rescueCount: try row["rescue_count"],
                token: token.map(LeaseToken.init), owner: try row["lease_owner"],
                leaseExpiresAt: try row["lease_expires_at"], runAt: try row["run_at"], progress: try row["progress"],
                stage: try row["stage"], isCancelRequested: try row["cancel_requested"],
                dependsOn: dependsOn.map(JobID.init), retryOf: retryOf.map(JobID.init), result: try row["result"],
                reason: try row["reason"], revision: try row["revision"], createdAt: try row["created_at"],
                startedAt: try row["started_at"], finishedAt: try row["finished_at"])
        } catch { throw .database(error) }
    }
}
