import Foundation
import Jobs
import Postgres
import TestSupport
import Testing

/// How many random steps the model tests take; `SCINTIVOL_MODEL_STEPS=100000` for the long run.
let modelSteps = ProcessInfo.processInfo.environment["SCINTIVOL_MODEL_STEPS"].flatMap { Int($0) } ?? 10_000

@Suite struct QueueModelTests {
    /// Every outcome of random steps over four connections equals the model's, and so does the table.
    @Test func followsItsModel() async throws {
        let (jobCount, fencedCount) = try await onThread {
            let settings = try PrivatePostgres.makeDatabase()
            var walk = try ModelWalk(settings: settings, seed: 20_261_122)
            for step in 1...modelSteps {
                try walk.step()
                if step.isMultiple(of: 1000) || step == modelSteps { try walk.compareTable() }
            }
            return (walk.model.entries.count, walk.fencedCount)
        }
        #expect(jobCount > modelSteps / 20)
        #expect(fencedCount > 0, "old tokens were never tried")
    }
}

/// One seeded walk through the queue's operations.
private struct ModelWalk {
    private let connections: [Connection]
    private var generator: SeededGenerator
    private(set) var model = QueueModel()
    private var leases: [Lease] = []
    private(set) var fencedCount = 0
    private var timing = JobTiming()

    init(settings: ConnectionSettings, seed: UInt64) throws {
        connections = try (0..<4).map { _ in try Connection(settings) }
        // What is tested here does not depend on the disk.
        for connection in connections {
            try connection.runSimple(Statement("test.no_wait", "SET synchronous_commit = off"))
        }
        generator = SeededGenerator(seed: seed)
        timing.lease = .seconds(3600)
        timing.rescueLimit = 2
    }

    mutating func step() throws {
        let connection = connections[Int.random(in: 0..<4, using: &generator)]
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<22: try enqueue(connection)
        case 22..<44: try claim(connection)
        case 44..<66: try finish(connection)
        case 66..<74: try heartbeat(connection)
        case 74..<80: try cancel(connection)
        case 80..<91: try passTime(connection)
        case 91..<96: try sweep(connection)
        default: try rollBack(connection)
        }
    }

    private mutating func enqueue(_ connection: Connection) throws {
        let hasKey = Bool.random(using: &generator)
        let dependsOn = Int.random(in: 0..<8, using: &generator) == 0 ? randomJob() : nil
        let job = NewJob(
            kind: "model", payload: "{}", key: hasKey ? "key \(Int.random(in: 0..<40, using: &generator))" : nil,
            priority: .random(in: 1...3, using: &generator), attemptLimit: .random(in: 1...3, using: &generator),
            dependsOn: dependsOn)
        let existing = model.live(withKey: job.key)
        let enqueued = try JobLedger(connection).enqueue(job)
        #expect(enqueued.isNew == (existing == nil))
        if let existing { #expect(enqueued.id == existing) } else { model.add(enqueued.id, job) }
    }

    private mutating func claim(_ connection: Connection) throws {
        let limit = Int.random(in: 1...3, using: &generator)
        let claimed = try JobLedger(connection).claim(kinds: ["model"], limit: limit, owner: "walk", timing: timing)
        #expect(claimed.map(\.id) == model.claimable(limit: limit))
        // Tokens grow from claim to claim; within one the server hands them out as it likes.
        for job in claimed.sorted(by: { $0.lease.token < $1.lease.token }) {
            let hasGrown = model.claim(job)
            #expect(hasGrown, "a token did not grow")
            #expect(model.entries[job.id]?.attempt == job.attempt)
            leases.append(job.lease)
        }
    }

    private mutating func finish(_ connection: Connection) throws {
        guard let lease = randomLease() else { return }
        let endings: [JobEnding] = [
            .completed(result: "{\"n\": 1}"), .completed(result: "{\"n\": 1}"), .giveBack, .discard(reason: "test"),
            .retry(after: .seconds(7200), reason: "test"), .snooze(.seconds(7200), reason: "test"),
            .cancelled(reason: "test"),
        ]
        guard let ending = endings.randomElement(using: &generator) else { return }
        let expected = model.finish(lease, ending)
        if expected == .fenced { fencedCount += 1 }
        #expect(try JobLedger(connection).finish(lease, ending) == expected)
    }

    private mutating func heartbeat(_ connection: Connection) throws {
        var chosen: [JobID: Lease] = [:]
        for _ in 0..<5 { if let lease = randomLease() { chosen[lease.job] = lease } }
        let beats = chosen.values.map { Heartbeat(lease: $0, progress: 0.5, stage: "fit") }
        let renewed = Set(beats.map(\.lease).filter { model.holds($0) })
        let answer = try JobLedger(connection).heartbeat(beats, timing: timing)
        #expect(answer.renewed == Set(renewed.map(\.job)))
        #expect(answer.lost == Set(chosen.keys).subtracting(answer.renewed))
        #expect(answer.cancelRequested == answer.renewed.filter { model.entries[$0]?.isCancelRequested == true })
        for lease in renewed { model.renew(lease) }
    }

    private mutating func cancel(_ connection: Connection) throws {
        guard let job = randomJob() else { return }
        let expected = model.cancel(job)
        #expect(try JobLedger(connection).cancel(job) == expected)
    }

    private mutating func passTime(_ connection: Connection) throws {
        guard let job = model.live.sorted().randomElement(using: &generator) else { return }
        model.passTime(job)
        try connection.query(
            Statement(
                "test.pass_time",
                """
                UPDATE job SET lease_expires_at = lease_expires_at - interval '2 hours',
                    run_at = CASE WHEN run_at > now() THEN now() ELSE run_at END WHERE id = $1
                """), [.integer(job.rawValue)])
    }

    private mutating func sweep(_ connection: Connection) throws {
        let outcome = try JobLedger(connection).sweep(timing: timing)
        let expected = model.sweep(rescueLimit: timing.rescueLimit)
        #expect(outcome == expected)
    }

    /// A transaction that is rolled back leaves nothing, whatever it did.
    private mutating func rollBack(_ connection: Connection) throws {
        let lease = randomLease()
        let timing = timing
        do throws(JobsError) {
            try connection.transaction { (transaction) throws(JobsError) in
                let ledger = JobLedger(transaction)
                _ = try ledger.enqueue(NewJob(kind: "model", payload: "{}"))
                _ = try ledger.claim(kinds: ["model"], limit: 2, owner: "walk", timing: timing)
                if let lease { _ = try ledger.finish(lease, .completed(result: nil)) }
                throw JobsError.keyContended
            }
        } catch { #expect(error == .keyContended) }
    }

    /// Mostly leases that are held, and often enough old ones.
    private mutating func randomLease() -> Lease? {
        let useOld = Int.random(in: 0..<4, using: &generator) == 0
        return useOld ? leases.randomElement(using: &generator) : leases.suffix(12).randomElement(using: &generator)
    }

    private mutating func randomJob() -> JobID? {
        let useOld = Int.random(in: 0..<4, using: &generator) == 0
        let newest = model.entries.keys.map(\.rawValue).max() ?? 0
        guard newest > 0 else { return nil }
        let first = useOld ? 1 : max(1, newest - 30)
        let id = JobID(rawValue: .random(in: first...newest, using: &generator))
        // Numbers of rolled back jobs are gaps.
        return model.entries[id] == nil ? nil : id
    }

    func compareTable() throws {
        var found: [JobID: Job] = [:]
        var last: JobID?
        repeat {
            let page = try JobLedger(connections[0]).list(before: last, limit: 500)
            for job in page { found[job.id] = job }
            last = page.last?.id
        } while last != nil
        try #require(Set(found.keys) == Set(model.entries.keys))
        for (id, entry) in model.entries {
            let job = try #require(found[id])
            #expect(job.state == entry.state, "job \(id.rawValue)")
            #expect(job.attempt == entry.attempt && job.attempt <= job.attemptLimit, "job \(id.rawValue)")
            #expect(job.rescueCount == entry.rescueCount, "job \(id.rawValue)")
            #expect(job.token == entry.token, "job \(id.rawValue)")
            #expect((job.result != nil) == entry.hasResult, "job \(id.rawValue)")
        }
        let counted = try JobLedger(connections[0]).counts().reduce(0) { $0 + $1.count }
        #expect(counted == model.entries.count)
    }
}
