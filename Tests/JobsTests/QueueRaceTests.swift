import Dispatch
import Jobs
import Postgres
import Synchronization
import TestSupport
import Testing

/// The invariants under real concurrency: four threads work against each other while a trigger writes down every change
/// of every row.
@Suite struct QueueRaceTests {
    @Test func keepsItsInvariants() async throws {
        try await onThread { try race() }
    }

    private func race() throws {
        let settings = try PrivatePostgres.makeDatabase()
        let observer = try Connection(settings)
        try observer.runSimple(Statement("test.attempt_audit", RaceSQL.attempt_audit))
        let tally = RaceTally()
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            do {
                let racer = try Racer(settings: settings, seed: UInt64(thread), tally: tally)
                for _ in 0..<modelSteps / 8 { try racer.step() }
            } catch { Issue.record(error) }
        }
        let seen = tally.total
        for (name, sql) in RaceSQL.violations {
            let count: Int = try observer.queryOne(Statement(name, sql))["count"]
            #expect(count == 0, "\(name)")
        }
        let ledger = JobLedger(observer)
        let counts = try ledger.counts()
        #expect(counts.reduce(0) { $0 + $1.count } == seen.enqueued, "jobs were lost or made up")
        #expect(
            counts.filter { $0.state == .completed }.reduce(0) { $0 + $1.count } == seen.completed.count,
            "a completion was doubled or lost")
        #expect(Set(seen.completed).count == seen.completed.count, "two tokens completed one job")
        for id in seen.cancelAcknowledged {
            #expect(try ledger.get(id).state != .completed, "a cancelled job was completed")
        }
        #expect(seen.fencedCount > 0 && !seen.completed.isEmpty && !seen.cancelAcknowledged.isEmpty)
        for row in try observer.query(Statement("test.edges", RaceSQL.edges)) {
            let old = try #require(JobState(rawValue: try row["old_state"]))
            let new = try #require(JobState(rawValue: try row["new_state"]))
            #expect(old.successors.contains(new), "\(old) became \(new)")
        }
    }
}

/// What all threads saw.
private final class RaceTally: Sendable {
    struct Seen: Sendable {
        var enqueued = 0
        var completed: [JobID] = []
        var cancelAcknowledged: Set<JobID> = []
        var fencedCount = 0
    }

    private let seen = Mutex(Seen())

    var total: Seen { seen.withLock { $0 } }

    func record(_ change: @Sendable (inout Seen) -> Void) { seen.withLock { change(&$0) } }
}

/// One thread of the race.
private final class Racer {
    private let connection: Connection
    private var generator: SeededGenerator
    private let tally: RaceTally
    private var leases: [Lease] = []
    private var timing = JobTiming()

    init(settings: ConnectionSettings, seed: UInt64, tally: RaceTally) throws {
        connection = try Connection(settings)
        try connection.runSimple(Statement("test.no_wait", "SET synchronous_commit = off"))
        generator = SeededGenerator(seed: seed)
        self.tally = tally
        timing.rescueLimit = 3
    }

    func step() throws {
        let ledger = JobLedger(connection)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<25:
            let key = Bool.random(using: &generator) ? "key \(Int.random(in: 0..<10, using: &generator))" : nil
            let job = NewJob(kind: "race", payload: "{}", key: key, attemptLimit: 2)
            if try ledger.enqueue(job).isNew { tally.record { $0.enqueued += 1 } }
        case 25..<50:
            leases += try ledger.claim(kinds: ["race"], limit: 2, owner: "race", timing: timing).map(\.lease)
        case 50..<75: try finish()
        case 75..<80:
            let beats = leases.suffix(4).map { Heartbeat(lease: $0, progress: 0.1) }
            _ = try ledger.heartbeat(beats, timing: timing)
        case 80..<87:
            guard let id = try randomJob() else { return }
            if try [.cancelled, .requested].contains(ledger.cancel(id)) {
                tally.record { _ = $0.cancelAcknowledged.insert(id) }
            }
        case 87..<94: try connection.query(RaceSQL.passTime)
        default: _ = try ledger.sweep(timing: timing)
        }
    }

    /// Completes in one transaction with a row of its own, as an application does.
    private func finish() throws {
        guard let lease = leases.suffix(6).randomElement(using: &generator) else { return }
        let endings: [JobEnding] = [
            .completed(result: "1"), .completed(result: "2"), .retry(after: .zero, reason: "test"), .giveBack,
        ]
        guard let ending = endings.randomElement(using: &generator) else { return }
        let outcome = try connection.transaction { (transaction) throws(JobsError) in
            let outcome = try JobLedger(transaction).finish(lease, ending)
            if outcome == .written(.completed) {
                do throws(PostgresError) {
                    try transaction.query(RaceSQL.addEffect, [.integer(lease.job.rawValue)])
                } catch { throw JobsError.database(error) }
            }
            return outcome
        }
        tally.record {
            if outcome == .written(.completed) { $0.completed.append(lease.job) }
            if outcome == .fenced { $0.fencedCount += 1 }
        }
    }

    private func randomJob() throws -> JobID? {
        let recent = try JobLedger(connection).list(JobFilter(states: JobState.live), limit: 30)
        return recent.randomElement(using: &generator)?.id
    }
}

private enum RaceSQL {
    static let attempt_audit = """
        CREATE TABLE effect (job_id bigint NOT NULL);
        CREATE TABLE attempt_audit (
            id bigint GENERATED ALWAYS AS IDENTITY, job_id bigint, old_state text, new_state text,
            old_token bigint, new_token bigint);
        CREATE FUNCTION audit_job() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO attempt_audit (job_id, old_state, new_state, old_token, new_token)
            VALUES (NEW.id, OLD.state, NEW.state, OLD.lease_token, NEW.lease_token);
            RETURN NULL;
        END $$;
        CREATE TRIGGER audit_job AFTER UPDATE ON job FOR EACH ROW EXECUTE FUNCTION audit_job();
        """

    static let edges = "SELECT DISTINCT old_state, new_state FROM attempt_audit WHERE old_state <> new_state"
    static let addEffect = Statement("test.add_effect", "INSERT INTO effect (job_id) VALUES ($1)")

    /// Ends the lease of a few running jobs.
    static let passTime = Statement(
        "test.pass_time",
        """
        UPDATE job SET lease_expires_at = now() - interval '1 second' WHERE id IN (
            SELECT id FROM job WHERE state = 'running' ORDER BY random() LIMIT 2 FOR UPDATE SKIP LOCKED)
        """)

    /// Each counts what must not exist.
    static let violations = [
        ("a token did not grow", "SELECT count(*) FROM attempt_audit WHERE new_token < old_token"),
        (
            "a token was given twice",
            """
            SELECT count(*) FROM (SELECT FROM attempt_audit WHERE old_state = 'available' AND new_state = 'running'
                GROUP BY new_token HAVING count(*) > 1) AS twice
            """
        ),
        (
            "an attempt ended twice",
            """
            SELECT count(*) FROM (SELECT FROM attempt_audit WHERE old_state = 'running' AND new_state <> 'running'
                GROUP BY old_token HAVING count(*) > 1) AS twice
            """
        ),
        (
            "an end was left",
            "SELECT count(*) FROM attempt_audit WHERE old_state IN ('completed', 'discarded', 'cancelled')"
        ),
        ("too many attempts", "SELECT count(*) FROM job WHERE attempt > attempt_limit"),
        (
            "a key lives twice",
            """
            SELECT count(*) FROM (SELECT FROM job WHERE finished_at IS NULL AND key IS NOT NULL
                GROUP BY key HAVING count(*) > 1) AS twice
            """
        ),
        (
            "results and completed jobs differ",
            """
            SELECT count(*) FROM (SELECT id FROM job WHERE state = 'completed') AS job
            FULL JOIN (SELECT job_id, count(*) AS effects FROM effect GROUP BY job_id) AS effect ON job_id = id
            WHERE id IS NULL OR effects IS DISTINCT FROM 1
            """
        ),
        (
            "a completed job has no result",
            "SELECT count(*) FROM job WHERE (state = 'completed') <> (result IS NOT NULL)"
        ),
    ]
}
