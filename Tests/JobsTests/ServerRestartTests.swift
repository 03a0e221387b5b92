import Jobs
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct ServerRestartTests {
    /// The server crashes and comes back while jobs run: none is lost and none is done twice.
    @Test func jobsSurviveARestartOfPostgreSQL() async throws {
        let temporary = try await onThread { try TemporaryServer() }
        let settings = ConnectionSettings(url: temporary.server.url())
        try await onThread {
            try Migrator(settings).up()
            try Connection(settings).runSimple(
                Statement("test.effect", "CREATE TABLE effect (job_id bigint PRIMARY KEY)"))
        }
        var timing = JobTiming()
        timing.poll = .milliseconds(100)
        timing.heartbeat = .milliseconds(100)
        timing.sweep = .milliseconds(200)
        let queue = JobQueue(pool: Pool(settings, countLimit: 4), timing: timing)
        var ids: [JobID] = []
        for _ in 0..<30 { ids.append(try await queue.enqueue(NewJob(kind: "dose", payload: "{}")).id) }

        let isOpen = Mutex(false)
        let worker = Worker(queue: queue, settings: Worker.Settings(kinds: ["dose"], owner: "test", slotCount: 3)) {
            job, _ in
            // Holds the first jobs until the server has been away.
            while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
            return JobResult(json: "1") { (transaction) throws(PostgresError) in
                try transaction.query(
                    Statement("test.add", "INSERT INTO effect VALUES ($1)"), [.integer(job.id.rawValue)])
            }
        }
        let running = Task { await worker.run() }
        #expect(try await eventually { try await queue.list(JobFilter(states: [.running])).count == 3 })
        try await onThread { try temporary.server.stop(.immediate) }
        isOpen.withLock { $0 = true }
        _ = try await onThread { try PrivateServer.start(in: temporary.folder) }

        let isDone = try await eventually(within: .seconds(60)) {
            do throws(JobsError) {
                return try await queue.list(JobFilter(states: [.completed])).count == ids.count
            } catch {
                return false
            }
        }
        #expect(isDone)
        running.cancel()
        await running.value
        let effects = try await queue.pool.run { (connection) throws(PostgresError) in
            try connection.queryOne(Statement("test.count", "SELECT count(*) AS n FROM effect"))["n"] as Int
        }
        #expect(effects == ids.count)
        for id in ids { #expect(try await queue.get(id).rescueCount == 0) }
    }
}
