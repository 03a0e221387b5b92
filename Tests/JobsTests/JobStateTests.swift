import Jobs
import Postgres
import TestSupport
import Testing

@Suite struct JobStateTests {
    /// The diagram, edge by edge: 36 pairs, 9 of which exist.
    @Test(arguments: JobState.allCases, JobState.allCases)
    func permitsTheDiagramsEdges(from: JobState, to: JobState) {
        let edges: [JobState: Set<JobState>] = [
            .available: [.running, .cancelled],
            .running: [.completed, .retryable, .available, .discarded, .cancelled],
            .retryable: [.available, .cancelled],
        ]
        #expect(from.successors.contains(to) == (edges[from]?.contains(to) ?? false))
    }

    @Test func knowsItsEnds() {
        #expect(JobState.allCases.filter(\.isEnd) == [.completed, .discarded, .cancelled])
    }

    /// Every operation on a job in every state goes along an edge or leaves the state alone.
    @Test(arguments: JobState.allCases)
    func everyOperationFollowsAnEdge(state: JobState) throws {
        let connection = try Connection(PrivatePostgres.makeDatabase())
        let ledger = JobLedger(connection)
        var timing = JobTiming()
        timing.lease = .zero
        let operations: [(String, (Lease) throws -> Void)] = [
            ("claim", { _ in _ = try ledger.claim(kinds: ["edge"], limit: 1, owner: "other", timing: timing) }),
            ("complete", { _ = try ledger.finish($0, .completed(result: "{}")) }),
            ("retry", { _ = try ledger.finish($0, .retry(after: .zero, reason: "test")) }),
            ("discard", { _ = try ledger.finish($0, .discard(reason: "test")) }),
            ("snooze", { _ = try ledger.finish($0, .snooze(.zero, reason: "test")) }),
            ("give back", { _ = try ledger.finish($0, .giveBack) }),
            ("cancelled", { _ = try ledger.finish($0, .cancelled(reason: "test")) }),
            ("heartbeat", { _ = try ledger.heartbeat([Heartbeat(lease: $0, progress: 1)], timing: timing) }),
            ("cancel", { _ = try ledger.cancel($0.job) }),
            ("sweep", { _ in _ = try ledger.sweep(timing: timing) }),
            ("hasten", { _ = try? ledger.retry($0.job) }),  // Refused for running and completed jobs.
        ]
        for (name, operation) in operations {
            let lease = try makeJob(in: state, ledger, timing)
            try operation(lease)
            let after = try ledger.get(lease.job).state
            #expect(after == state || state.successors.contains(after), "\(name): \(state) became \(after)")
            try connection.runSimple(Statement("test.clear", "DELETE FROM job"))
        }
    }

    private func makeJob(in state: JobState, _ ledger: JobLedger<Connection>, _ timing: JobTiming) throws -> Lease {
        let id = try ledger.enqueue(NewJob(kind: "edge", payload: "{}")).id
        if state == .available { return Lease(job: id, token: LeaseToken(rawValue: 0)) }
        let lease = try #require(try ledger.claim(kinds: ["edge"], limit: 1, owner: "test", timing: timing).first).lease
        let endings: [JobState: JobEnding] = [
            .completed: .completed(result: nil), .retryable: .retry(after: .zero, reason: "test"),
            .discarded: .discard(reason: "test"), .cancelled: .cancelled(reason: "test"),
        ]
        if let ending = endings[state] { #expect(try ledger.finish(lease, ending) == .written(state)) }
        return lease
    }
}
