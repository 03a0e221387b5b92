import Jobs
import Postgres
import Synchronization

/// How long a job waits for an idle worker that a notification wakes.
final class ClaimLatency: Sendable {
    private let enqueuedAt = Mutex<[Int: Double]>([:])
    private let waits = Mutex<[Double]>([])

    /// - Returns: seconds from before the enqueueing call until the worker runs the job, one value per job.
    static func measure(_ queue: JobQueue, count: Int) async throws -> [Double] {
        let measurement = ClaimLatency()
        let kind = "benchmark-latency"
        let worker = Worker(
            queue: queue, settings: Worker.Settings(kinds: [kind], owner: "benchmark"),
            perform: { job, _ in
                measurement.began(job)
                return JobResult()
            })
        let working = Task { await worker.run() }
        defer { working.cancel() }
        for number in 0..<count {
            measurement.enqueuedAt.withLock { $0[number] = Timing.now() }
            _ = try await queue.enqueue(NewJob(kind: kind, payload: "\(number)"))
            // The worker is idle again, and no two jobs come at the same distance.
            try await Task.sleep(for: .milliseconds(10 + number % 7))
        }
        let end = Timing.now() + 20
        while measurement.waits.withLock({ $0.count }) < count {
            guard Timing.now() < end else { throw MeasuringError.programSilent("worker") }
            try await Task.sleep(for: .milliseconds(20))
        }
        return measurement.waits.withLock { $0 }
    }

    private func began(_ job: ClaimedJob) {
        let now = Timing.now()
        guard let number = Int(job.payload), let start = enqueuedAt.withLock({ $0[number] }) else { return }
        waits.withLock { $0.append(now - start) }
    }
}
