import Jobs
import Postgres

/// Clients that use the queue as fast as they can, for a while.
struct QueueLoad {
    static let kind = "benchmark"

    let queue: JobQueue
    let connection: Connection
    let seconds: Double

    private static let fill = Statement(
        "benchmark.fill",
        """
        INSERT INTO job (kind, priority, payload, attempt_limit, run_at)
        SELECT $1, 100, '{}', 5, now() FROM generate_series(1, $2::bigint)
        """)
    /// The log refuses to be emptied; this database lives no longer than the benchmark.
    private static let clear = Statement(
        "benchmark.clear",
        """
        ALTER TABLE job_log DISABLE TRIGGER job_log_append_only;
        TRUNCATE job, job_log;
        ALTER TABLE job_log ENABLE TRIGGER job_log_append_only;
        """)
    private static let analyse = Statement("benchmark.analyse", "ANALYZE job")

    /// An empty queue with so many jobs that can be claimed.
    func refill(_ count: Int) throws {
        try connection.runSimple(Self.clear)
        try connection.query(Self.fill, [.text(Self.kind), .integer(Int64(count))])
        try connection.query(Self.analyse)
    }

    func enqueue(clients: Int) async throws -> Double {
        try await rate(clients) { [queue] _ in
            _ = try await queue.enqueue(NewJob(kind: Self.kind, payload: "{}"))
        }
    }

    func claimAndFinish(clients: Int) async throws -> Double {
        try await rate(clients) { [queue] _ in
            guard let job = try await queue.claim(kinds: [Self.kind], limit: 1, owner: "benchmark").first else {
                throw MeasuringError.programSilent("job queue")
            }
            _ = try await queue.finish(job.lease, .completed(result: "{}"))
        }
    }

    func heartbeat(_ leases: [Lease]) async throws -> Double {
        try await rate(leases.count) { [queue] client in
            _ = try await queue.heartbeat([Heartbeat(lease: leases[client], progress: 0.5, stage: "half")])
        }
    }

    /// One job per client, with numbers and tokens that follow one another.
    func leases(_ count: Int) throws -> [Lease] {
        try (0..<count).map { _ in
            let claimed = try JobLedger(connection).claim(
                kinds: [Self.kind], limit: 1, owner: "benchmark", timing: JobTiming())
            guard let lease = claimed.first?.lease else { throw MeasuringError.programSilent("job queue") }
            return lease
        }
    }

    /// - Returns: operations per second of all clients together.
    private func rate(
        _ clients: Int, _ operation: @escaping @Sendable (_ client: Int) async throws -> Void
    ) async throws -> Double {
        let start = Timing.now()
        let end = start + seconds
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<clients {
                group.addTask {
                    var count = 0
                    while Timing.now() < end {
                        try await operation(client)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / (Timing.now() - start)
    }
}
