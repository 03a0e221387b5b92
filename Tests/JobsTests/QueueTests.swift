import Dispatch
import Jobs
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct QueueTests {
    private let connection: Connection
    private let ledger: JobLedger<Connection>
    private let settings: ConnectionSettings
    private let timing = JobTiming()

    init() throws {
        settings = try PrivatePostgres.makeDatabase()
        connection = try Connection(settings)
        ledger = JobLedger(connection)
    }

    private func enqueue(_ job: NewJob = NewJob(kind: "dose", payload: "{}")) throws -> JobID {
        try ledger.enqueue(job).id
    }

    private func claimOne() throws -> ClaimedJob {
        try #require(try ledger.claim(kinds: ["dose"], limit: 1, owner: "test", timing: timing).first)
    }

    @Test func enqueueingAKeyAtOnceFromManyThreadsMakesOneJob() throws {
        let found = Mutex<[EnqueuedJob]>([])
        let settings = settings
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            do {
                let ledger = JobLedger(try Connection(settings))
                for round in 0..<20 {
                    let job = try ledger.enqueue(NewJob(kind: "dose", payload: "{}", key: "case \(round)"))
                    found.withLock { $0.append(job) }
                }
            } catch { Issue.record(error) }
        }
        let jobs = found.withLock { $0 }
        #expect(jobs.count == 80)
        #expect(jobs.filter(\.isNew).count == 20)
        #expect(Set(jobs.map(\.id)).count == 20)
    }

    @Test func anEndedJobFreesItsKey() throws {
        let first = try enqueue(NewJob(kind: "dose", payload: "{}", key: "case"))
        #expect(try ledger.finish(claimOne().lease, .completed(result: nil)) == .written(.completed))
        #expect(try enqueue(NewJob(kind: "dose", payload: "{}", key: "case")) != first)
    }

    @Test func anOldTokenChangesNothing() throws {
        let id = try enqueue()
        let old = try claimOne()
        #expect(try ledger.finish(old.lease, .giveBack) == .written(.available))
        let new = try claimOne()
        #expect(new.lease.token > old.lease.token)
        #expect(try ledger.finish(old.lease, .completed(result: "1")) == .fenced)
        #expect(try ledger.heartbeat([Heartbeat(lease: old.lease)], timing: timing).lost == [id])
        #expect(try ledger.finish(new.lease, .completed(result: "2")) == .written(.completed))
        #expect(try ledger.get(id).result == "2")
    }

    @Test func failuresCountAndInterruptionsDoNot() throws {
        let id = try enqueue(NewJob(kind: "dose", payload: "{}", attemptLimit: 2))
        #expect(try ledger.finish(claimOne().lease, .snooze(.zero, reason: "busy")) == .written(.available))
        #expect(try ledger.finish(claimOne().lease, .giveBack) == .written(.available))
        #expect(try ledger.finish(claimOne().lease, .retry(after: .zero, reason: "one")) == .written(.retryable))
        #expect(try ledger.sweep(timing: timing).promotedCount == 1)
        #expect(try ledger.finish(claimOne().lease, .retry(after: .zero, reason: "two")) == .written(.discarded))
        let job = try ledger.get(id)
        #expect(job.attempt == 2 && job.reason == "two")
        let events = try ledger.log(of: id).map(\.event)
        #expect(
            events == [
                "enqueued", "claimed", "snooze", "claimed", "give_back", "claimed", "retryable", "claimed", "discarded",
            ])
    }

    @Test func aJobThatKilledTwoWorkersIsQuarantined() throws {
        let id = try enqueue()
        var dying = timing
        dying.lease = .zero
        for expected in [JobState.available, .discarded] {
            let lost = try #require(ledger.claim(kinds: ["dose"], limit: 1, owner: "dies", timing: dying).first)
            let outcome = try ledger.sweep(timing: timing)
            #expect(outcome.rescued == (expected == .available ? [id] : []))
            #expect(outcome.quarantined == (expected == .discarded ? [id] : []))
            #expect(try ledger.finish(lost.lease, .completed(result: nil)) == .fenced)
        }
        let job = try ledger.get(id)
        #expect(job.state == .discarded && job.reason == "quarantined" && job.rescueCount == 2)
    }

    @Test func aHeartbeatStopsCountingAtTheDeadline() throws {
        let id = try enqueue()
        let lease = try claimOne().lease
        #expect(try ledger.heartbeat([Heartbeat(lease: lease)], timing: timing).renewed == [id])
        try connection.runSimple(Statement("test.deadline", "UPDATE job SET deadline_at = now()"))
        #expect(try ledger.heartbeat([Heartbeat(lease: lease)], timing: timing).lost == [id])
    }

    @Test func aHeartbeatTouchesNoIndex() throws {
        _ = try enqueue()
        let lease = try claimOne().lease
        let hot = try connection.transaction { (transaction) throws(JobsError) in
            let ledger = JobLedger(transaction)
            for progress in [0.1, 0.2, 0.3] {
                _ = try ledger.heartbeat([Heartbeat(lease: lease, progress: progress, stage: "fit")], timing: timing)
            }
            do throws(PostgresError) {
                let row = try transaction.queryOne(
                    Statement("test.hot", "SELECT pg_stat_get_xact_tuples_hot_updated('job'::regclass) AS hot"))
                return try row["hot"] as Int
            } catch { throw JobsError.database(error) }
        }
        #expect(hot == 3)
    }

    @Test func cancelWinsOverWhateverTheWorkerWrites() throws {
        let id = try enqueue()
        let lease = try claimOne().lease
        #expect(try ledger.cancel(id) == .requested)
        #expect(try ledger.heartbeat([Heartbeat(lease: lease)], timing: timing).cancelRequested == [id])
        #expect(try ledger.finish(lease, .completed(result: "1")) == .written(.cancelled))
        #expect(try ledger.get(id).result == nil)
        #expect(try ledger.cancel(id) == .alreadyEnded(.cancelled))
        #expect(throws: JobsError.unknownJob(JobID(rawValue: 999))) { try ledger.cancel(JobID(rawValue: 999)) }
    }

    @Test(arguments: [JobEnding.completed(result: nil), .discard(reason: "test")])
    func aDependentWaitsUntilTheOtherHasEnded(ending: JobEnding) throws {
        let first = try enqueue()
        let second = try enqueue(NewJob(kind: "dose", payload: "{}", priority: 1, dependsOn: first))
        let claimed = try claimOne()
        #expect(claimed.id == first)
        #expect(try ledger.claim(kinds: ["dose"], limit: 1, owner: "test", timing: timing).isEmpty)
        _ = try ledger.finish(claimed.lease, ending)
        #expect(try claimOne().id == second)
    }

    @Test func refusesToWaitForNothing() {
        #expect(throws: JobsError.unknownDependency) {
            try enqueue(NewJob(kind: "dose", payload: "{}", dependsOn: JobID(rawValue: 12345)))
        }
    }

    @Test func refusesWhatIsNotJSON() throws {
        #expect(throws: JobsError.invalidJSON) { try enqueue(NewJob(kind: "dose", payload: "{")) }
        let large = String(repeating: "1", count: 1 << 21)
        #expect(throws: JobsError.documentTooLarge(bytes: 1 << 21, limit: 1 << 20)) {
            try enqueue(NewJob(kind: "dose", payload: large))
        }
    }

    @Test func retryHastensALiveJobAndRepeatsAnEndedOne() throws {
        let id = try enqueue(NewJob(kind: "dose", payload: "{\"n\": 1}", delay: .seconds(3600)))
        #expect(try ledger.claim(kinds: ["dose"], limit: 1, owner: "test", timing: timing).isEmpty)
        #expect(try ledger.retry(id) == id)
        let lease = try claimOne().lease
        #expect(throws: JobsError.notRetryable(.running)) { try ledger.retry(id) }
        _ = try ledger.finish(lease, .discard(reason: "test"))
        let successor = try ledger.get(ledger.retry(id))
        #expect(successor.retryOf == id && successor.payload == "{\"n\": 1}" && successor.state == .available)
        #expect(try ledger.get(id).state == .discarded)
    }

    @Test func aMovedJobGoesFirst() throws {
        let first = try enqueue()
        let second = try enqueue()
        let before = try ledger.get(second).revision
        try ledger.prioritise(second, 1)
        #expect(try ledger.get(second).revision == before + 1)
        let claimed = try claimOne()
        #expect(claimed.id == second)
        _ = try ledger.finish(claimed.lease, .completed(result: nil))
        #expect(throws: JobsError.alreadyEnded(.completed)) { try ledger.prioritise(second, 2) }
        #expect(throws: JobsError.unknownJob(JobID(rawValue: 99))) { try ledger.prioritise(JobID(rawValue: 99), 2) }
        #expect(try claimOne().id == first)
    }

    /// Every new revision is told, by whichever statement it comes about, and nothing else is.
    @Test func everyRevisionIsTold() async throws {
        let heard = Mutex<[String]>([])
        let listener = try Listener(settings, channels: ["job_revised"]) { event in
            if case .notification(_, let id) = event { heard.withLock { $0.append(id) } }
            if event == .connected { heard.withLock { $0.append("connected") } }
        }
        defer { listener.stop() }
        #expect(try await eventually { heard.withLock { $0.contains("connected") } })
        let (ledger, timing) = (ledger, timing)
        let id = try enqueue()
        let steps: [() throws -> Void] = [
            { try ledger.prioritise(id, 5) },
            { _ = try ledger.claim(kinds: ["dose"], limit: 1, owner: "test", timing: timing) },
            {
                let lease = Lease(job: id, token: try #require(try ledger.get(id).token))
                _ = try ledger.heartbeat([Heartbeat(lease: lease, progress: 0.5)], timing: timing)
                // The same again is news to nobody.
                _ = try ledger.heartbeat([Heartbeat(lease: lease, progress: 0.5)], timing: timing)
            },
            { _ = try ledger.cancel(id) },
        ]
        for (index, step) in steps.enumerated() {
            try step()
            let isHeard = try await eventually { heard.withLock { $0.count } == index + 2 }
            #expect(isHeard, "step \(index) was not told, or told twice")
        }
        #expect(heard.withLock { $0.dropFirst() }.allSatisfy { $0 == "\(id.rawValue)" })
    }

    @Test func listsPageByPage() throws {
        let ids = try (0..<5).map { _ in try enqueue() }
        let first = try ledger.list(limit: 2)
        let second = try ledger.list(before: first.last?.id, limit: 2)
        let third = try ledger.list(before: second.last?.id, limit: 2)
        #expect((first + second + third).map(\.id) == ids.reversed())
        #expect(try ledger.list(JobFilter(kinds: ["other"])).isEmpty)
        #expect(try ledger.list(JobFilter(states: [.completed])).isEmpty)
        #expect(try ledger.list(JobFilter(kinds: ["dose"], states: [.available])).count == 5)
    }

    @Test func pruneTakesEndedJobsAndTheirLogs() throws {
        let ended = try enqueue()
        _ = try ledger.finish(claimOne().lease, .completed(result: nil))
        let live = try enqueue(NewJob(kind: "dose", payload: "{}", dependsOn: ended))
        #expect(try ledger.prune(endedBefore: .seconds(60)) == 0)
        #expect(try ledger.prune(endedBefore: .zero) == 1)
        #expect(try ledger.log(of: ended).isEmpty)
        #expect(try ledger.get(live).dependsOn == nil)
        #expect(try claimOne().id == live)
    }

    @Test func theLogIsAppendOnly() throws {
        _ = try enqueue()
        let change = Statement("test.change_log", "UPDATE job_log SET event = 'never'")
        #expect(throws: PostgresError.self) { try connection.runSimple(change) }
    }

    @Test func theRevisionGrowsWithWhatReadersSee() throws {
        let id = try enqueue()
        let lease = try claimOne().lease
        let before = try ledger.get(id).revision
        _ = try ledger.heartbeat([Heartbeat(lease: lease, progress: 0.5)], timing: timing)
        let after = try ledger.get(id).revision
        #expect(after == before + 1)
        _ = try ledger.heartbeat([Heartbeat(lease: lease, progress: 0.5)], timing: timing)
        #expect(try ledger.get(id).revision == after)
    }
}
