import Jobs
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct WorkerTests {
    private let settings: ConnectionSettings
    private let queue: JobQueue

    init() throws {
        settings = try PrivatePostgres.makeDatabase()
        queue = WorkerTests.makeQueue(settings)
    }

    private static func makeQueue(_ settings: ConnectionSettings) -> JobQueue {
        var timing = JobTiming()
        timing.lease = .seconds(20)
        timing.leaseMargin = .seconds(2)
        timing.heartbeat = .milliseconds(100)
        timing.sweep = .milliseconds(100)
        timing.poll = .milliseconds(100)
        timing.watch = .milliseconds(50)
        timing.firstRetryWait = .milliseconds(10)
        timing.shutdownGrace = .seconds(10)
        return JobQueue(pool: Pool(settings, countLimit: 4), timing: timing)
    }

    /// Runs a worker around `body` and waits until it has shut down.
    private func withWorker(
        _ log: EventLog = EventLog(), slotCount: Int = 2, perform: @escaping Worker.Perform,
        while body: () async throws -> Void
    ) async throws {
        let worker = Worker(
            queue: queue, settings: Worker.Settings(kinds: ["dose"], owner: "test", slotCount: slotCount),
            observe: { log.append($0) }, perform: perform)
        let running = Task { await worker.run() }
        do { try await body() } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }

    private func enqueue(attemptLimit: Int16 = 5, dependsOn: JobID? = nil) async throws -> JobID {
        try await queue.enqueue(
            NewJob(kind: "dose", payload: "{}", attemptLimit: attemptLimit, dependsOn: dependsOn)
        ).id
    }

    private func expect(_ id: JobID, reaches state: JobState) async throws {
        try await expectEventually { try await queue.get(id).state == state }
    }

    private func expectEventually(
        sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
    ) async throws {
        let holds = try await eventually(condition)
        #expect(holds, sourceLocation: sourceLocation)
    }

    @Test func writesResultAndRowsTogether() async throws {
        try await onThread {
            try Connection(settings).runSimple(Statement("test.effect", "CREATE TABLE effect (job_id bigint)"))
        }
        let id = try await enqueue()
        let perform: Worker.Perform = { job, context in
            context.report(progress: 0.5, stage: "fit")
            return JobResult(json: "{\"dose\": 1}") { (transaction) throws(PostgresError) in
                try transaction.query(
                    Statement("test.add", "INSERT INTO effect VALUES ($1)"), [.integer(job.id.rawValue)])
            }
        }
        try await withWorker(perform: perform) {
            try await expect(id, reaches: .completed)
        }
        #expect(try await queue.get(id).result == "{\"dose\": 1}")
        let effects = try await queue.pool.run { (connection) throws(PostgresError) in
            try connection.queryOne(Statement("test.count", "SELECT count(*) AS n FROM effect"))["n"] as Int
        }
        #expect(effects == 1)
    }

    /// What the job throws, and where the job then stands with which reason.
    @Test(arguments: [
        (JobDecision.retry(after: .seconds(3600), reason: "later"), JobState.retryable, "later"),
        (.discard(reason: "bad"), .discarded, "bad"),
        (.snooze(.seconds(3600), reason: "busy"), .available, "busy"),
        (.cancel(reason: "enough"), .cancelled, "enough"),
    ])
    func whatIsThrownIsTheDecision(decision: JobDecision, state: JobState, reason: String) async throws {
        let id = try await enqueue()
        try await withWorker(perform: { _, _ in throw decision }) {
            try await expectEventually { try await queue.get(id).reason == reason }
        }
        #expect(try await queue.get(id).state == state)
    }

    @Test func anUnexpectedErrorIsRetriedUpToTheLimit() async throws {
        let id = try await enqueue(attemptLimit: 3)
        let runs = Mutex(0)
        let perform: Worker.Perform = { _, _ in
            runs.withLock { $0 += 1 }
            throw CancellationError()
        }
        try await withWorker(perform: perform) { try await expect(id, reaches: .discarded) }
        #expect(runs.withLock { $0 } == 3)
        #expect(try await queue.get(id).reason == "unexpected")
    }

    @Test func aRefusedResultFailsTheAttempt() async throws {
        let id = try await enqueue(attemptLimit: 1)
        try await withWorker(perform: { _, _ in JobResult(json: "not JSON") }) {
            try await expect(id, reaches: .discarded)
        }
        #expect(try await queue.get(id).reason == "result_refused")
    }

    @Test func cancelStopsTheRunningJob() async throws {
        let id = try await enqueue()
        let log = EventLog()
        try await withWorker(log, perform: WorkerTests.runForever) {
            try await expect(id, reaches: .running)
            let outcome = try await queue.cancel(id)
            #expect(outcome == .requested)
            try await expect(id, reaches: .cancelled)
        }
        #expect(log.contains { if case .stopped(let job, .cancelRequested) = $0 { job.id == id } else { false } })
    }

    @Test func shuttingDownGivesTheAttemptBack() async throws {
        let id = try await enqueue()
        try await withWorker(perform: WorkerTests.runForever) { try await expect(id, reaches: .running) }
        let job = try await queue.get(id)
        #expect(job.state == .available && job.attempt == 0 && job.rescueCount == 0 && job.reason == "given_back")
    }

    @Test func aLostLeaseStopsTheJobAndItsWriteIsDropped() async throws {
        let id = try await enqueue()
        let log = EventLog()
        let isFirst = Mutex(true)
        let perform: Worker.Perform = { _, _ in
            let first = isFirst.withLock { value in
                defer { value = false }
                return value
            }
            if first { try? await Task.sleep(for: .seconds(600)) }  // Ends early only by cancellation.
            return JobResult(json: first ? "\"lost\"" : "\"kept\"")
        }
        try await withWorker(log, perform: perform) {
            try await expect(id, reaches: .running)
            try await queue.pool.run { (connection) throws(PostgresError) in
                // As if this worker had been frozen until another one swept.
                try connection.runSimple(
                    Statement(
                        "test.expire",
                        "UPDATE job SET lease_expires_at = now() - interval '1 s', deadline_at = now() - interval '1 s'"
                    ))
            }
            try await expect(id, reaches: .completed)
            try await expectEventually {
                log.contains { if case .stopped(let job, .leaseLost) = $0 { job.id == id } else { false } }
            }
            try await expectEventually {
                log.contains { if case .fenced(let job) = $0 { job.id == id } else { false } }
            }
        }
        let job = try await queue.get(id)
        #expect(job.result == "\"kept\"" && job.rescueCount == 1)
    }

    @Test func dependentsRunAfterwards() async throws {
        let order = Mutex<[JobID]>([])
        let first = try await enqueue()
        let second = try await enqueue(dependsOn: first)
        let third = try await enqueue(dependsOn: second)
        let perform: Worker.Perform = { job, _ in
            order.withLock { $0.append(job.id) }
            if job.id == first { throw JobDecision.discard(reason: "failed") }
            return JobResult()
        }
        try await withWorker(slotCount: 4, perform: perform) {
            try await expect(third, reaches: .completed)
        }
        #expect(order.withLock { $0 } == [first, second, third])
    }

    @Test func runsNoMoreThanItsSlots() async throws {
        var ids: [JobID] = []
        for _ in 0..<8 { ids.append(try await enqueue()) }
        let running = Mutex((now: 0, most: 0))
        let perform: Worker.Perform = { _, _ in
            running.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            try await Task.sleep(for: .milliseconds(10))
            running.withLock { $0.now -= 1 }
            return JobResult()
        }
        try await withWorker(slotCount: 2, perform: perform) {
            for id in ids {
                try await expect(id, reaches: .completed)
            }
        }
        #expect(running.withLock { $0.most } <= 2)
    }

    private static let runForever: Worker.Perform = { _, _ in
        try await Task.sleep(for: .seconds(600))
        return JobResult()
    }
}

/// What a worker told.
final class EventLog: Sendable {
    private let events = Mutex<[WorkerEvent]>([])

    func append(_ event: WorkerEvent) { events.withLock { $0.append(event) } }
    func contains(_ matches: (WorkerEvent) -> Bool) -> Bool { events.withLock { $0.contains(where: matches) } }
}
