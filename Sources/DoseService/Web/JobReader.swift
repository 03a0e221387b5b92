import Dispatch
import Jobs
import Postgres
import Synchronization

/// Reads jobs for requests. What is asked for while one query runs is read together by the next, so that many who ask
/// at once cost little more than one.
final class JobReader: Sendable {
    /// Called on the reader's thread; it must not block.
    typealias Answer = @Sendable (Result<Job, JobsError>) -> Void

    /// Requests that may wait for the next query.
    static let waitingLimit = 1000

    private struct State {
        var waiting: [(id: JobID, answer: Answer)] = []
        var isReading = false
    }

    private let pool: Pool
    private let queue = DispatchQueue(label: "service.job-reader")
    private let state = Mutex(State())

    init(pool: Pool) { self.pool = pool }

    /// - Returns: false when too many wait; there will be no answer then.
    func read(_ id: JobID, _ answer: @escaping Answer) -> Bool {
        let (isTaken, isFirst) = state.withLock { state in
            guard state.waiting.count < Self.waitingLimit else { return (false, false) }
            state.waiting.append((id, answer))
            defer { state.isReading = true }
            return (true, !state.isReading)
        }
        if isFirst { queue.async { self.readAll() } }
        return isTaken
    }

    private func readAll() {
        while let batch = next() {
            let found: Result<[JobID: Job], JobsError>
            do throws(JobsError) { found = .success(try jobs(Set(batch.map(\.id)))) } catch { found = .failure(error) }
            for (id, answer) in batch {
                answer(found.flatMap { jobs in jobs[id].map(Result.success) ?? .failure(.unknownJob(id)) })
            }
        }
    }

    /// Nil, and the end of reading, when nobody waits.
    private func next() -> [(id: JobID, answer: Answer)]? {
        state.withLock { state in
            state.isReading = !state.waiting.isEmpty
            defer { state.waiting = [] }
            return state.isReading ? state.waiting : nil
        }
    }

    private func jobs(_ ids: Set<JobID>) throws(JobsError) -> [JobID: Job] {
        let jobs = try pool.withConnection { (connection) throws(JobsError) in try JobLedger(connection).get(ids) }
        return Dictionary(jobs.map { ($0.id, $0) }) { $1 }
    }
}
