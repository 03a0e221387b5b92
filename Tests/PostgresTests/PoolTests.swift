import Dispatch
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct PoolTests {
    private let settings: ConnectionSettings

    init() throws { settings = try PrivatePostgres.makeDatabase(migrated: false) }

    private static let backend = Statement("test.backend", "SELECT pg_backend_pid()::bigint AS pid")

    private func backend(_ pool: Pool) async throws -> Int64 {
        try await pool.run { (connection) throws(PostgresError) in try connection.queryOne(PoolTests.backend)["pid"] }
    }

    @Test func lendsNoMoreThanItHasAndReusesThem() async throws {
        let pool = Pool(settings, countLimit: 2, waitLimit: .seconds(30))
        let meter = Meter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await pool.run { (connection) throws(PostgresError) in
                        meter.enter()
                        meter.leave(backend: try connection.queryOne(PoolTests.backend)["pid"])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(meter.most <= 2)
        #expect(meter.backendCount <= 2)
    }

    @Test func waitingEnds() throws {
        let pool = Pool(settings, countLimit: 1, waitLimit: .milliseconds(50))
        try pool.withConnection { (_) throws(PostgresError) in
            _ = #expect(throws: PostgresError.poolExhausted) {
                try pool.withConnection { (_) throws(PostgresError) in }
            }
        }
        try pool.withConnection { (_) throws(PostgresError) in }
    }

    @Test func tasksWaitNoLongerThanThreads() async throws {
        let pool = Pool(settings, countLimit: 1, waitLimit: .milliseconds(50), queueLimit: 1)
        let gate = DispatchSemaphore(value: 0)
        let holds = Mutex(false)
        let holder = Task {
            try await pool.run { (_) throws(PostgresError) in
                holds.withLock { $0 = true }
                gate.wait()
            }
        }
        #expect(try await eventually { holds.withLock { $0 } })
        // One may queue, and the others are refused at once.
        let refused = Counter()
        let askers = (0..<3).map { _ in
            Task {
                await #expect(throws: PostgresError.poolExhausted) { try await backend(pool) }
                refused.increment()
            }
        }
        #expect(try await eventually { refused.value == 2 })
        // The one in the queue finds its time gone when a thread comes free.
        let late = ContinuousClock.now + .milliseconds(60)
        #expect(try await eventually { ContinuousClock.now > late })
        gate.signal()
        try await holder.value
        for asker in askers { await asker.value }
        #expect(refused.value == 3)
    }

    @Test func aKilledBackendIsReplaced() async throws {
        let pool = Pool(settings, countLimit: 1)
        let first = try await backend(pool)
        try await onThread {
            _ = try Connection(settings).query(
                Statement("test.kill", "SELECT pg_terminate_backend($1::int)"), [.integer(first)])
        }
        // The farewell may still be under way at the first look.
        #expect(try await eventually { (try? await backend(pool)).map { $0 != first } ?? false })
    }

    @Test func aConnectionLeftInATransactionIsNotLentAgain() async throws {
        let pool = Pool(settings, countLimit: 1)
        let first = try await backend(pool)
        try await pool.run { (connection) throws(PostgresError) in
            try connection.runSimple(Statement("test.begin", "BEGIN"))
        }
        #expect(try await backend(pool) != first)
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}

/// Counts who is inside at once.
private final class Meter: Sendable {
    private let state = Mutex((now: 0, most: 0, backends: Set<Int64>()))

    var most: Int { state.withLock { $0.most } }
    var backendCount: Int { state.withLock { $0.backends.count } }

    func enter() {
        state.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func leave(backend: Int64) {
        state.withLock {
            $0.now -= 1
            $0.backends.insert(backend)
        }
    }
}

@Suite struct ListenerTests {
    @Test func hearsAndConnectsAgain() async throws {
        let settings = try PrivatePostgres.makeDatabase(migrated: false)
        let events = Mutex<[Listener.Event]>([])
        var timing = Listener.Timing()
        timing.firstPause = .milliseconds(10)
        let listener = try Listener(settings, channels: ["news"], timing: timing) { event in
            events.withLock { $0.append(event) }
        }
        #expect(try await eventually { events.withLock { $0.contains(.connected) } })
        let speaker = try Connection(settings)
        try speaker.query(Statement("test.notify", "SELECT pg_notify('news', $1)"), ["one"])
        #expect(try await eventually { events.withLock { $0.last == .notification(channel: "news", payload: "one") } })
        try speaker.query(
            Statement(
                "test.kill",
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """))
        #expect(try await eventually { events.withLock { $0.suffix(2) == [.disconnected, .connected] } })
        try speaker.query(Statement("test.notify", "SELECT pg_notify('news', $1)"), ["two"])
        #expect(try await eventually { events.withLock { $0.last == .notification(channel: "news", payload: "two") } })
        listener.stop()
        #expect(
            try await eventually {
                let others = try speaker.query(
                    Statement(
                        "test.others",
                        """
                        SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                        """))
                return others.isEmpty
            })
    }

    @Test func refusesAChannelThatIsNoName() {
        #expect(throws: PostgresError.invalidChannel) {
            _ = try Listener(ConnectionSettings(url: ""), channels: ["a; DROP TABLE b"]) { _ in }
        }
    }
}
