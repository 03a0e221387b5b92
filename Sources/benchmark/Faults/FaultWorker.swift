import ArgumentParser
import Foundation
import Glibc
import Jobs
import Postgres

/// A worker that the fault matrix kills, stops and cuts off: a job is some waiting, a file and a row.
struct FaultWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fault-worker", shouldDisplay: false)
    static let kind = "fault"

    @Option var databaseURL: String
    @Option var results: String
    @Option var leaseSeconds: Double
    @Option var owner: String
    @Option var failpoints: String?
    /// How long a job takes.
    @Option var milliseconds = 300

    /// What a job is told.
    struct Payload: Codable {
        /// Its first attempt starts a program that takes all memory it gets.
        var devoursMemory = false
    }

    func run() async throws {
        let plan = failpoints.flatMap { FailpointPlan($0) }
        var settings = ConnectionSettings(url: databaseURL)
        // A half-open connection is noticed within a lease of this length.
        settings.peerTimeout = .seconds(max(1, leaseSeconds / 3))
        settings.statementTimeout = .seconds(max(1, leaseSeconds / 3))
        settings.answerMargin = .milliseconds(200)
        settings.connectTimeout = .seconds(2)
        var timing = JobTiming(lease: .seconds(leaseSeconds))
        timing.firstRetryWait = .milliseconds(200)
        let queue = JobQueue(
            pool: Pool(settings, countLimit: 3), timing: timing,
            failpoint: plan.map { plan -> @Sendable (Failpoint) -> Void in { plan.reach($0) } })
        let worker = Worker(
            queue: queue, settings: Worker.Settings(kinds: [Self.kind], owner: owner, slotCount: 2),
            perform: { try await perform($0, $1) })
        // Ends by a signal.
        await worker.run()
    }

    private func perform(_ job: ClaimedJob, _ context: JobContext) async throws -> JobResult {
        let payload = try JSONDecoder().decode(Payload.self, from: Data(job.payload.utf8))
        if payload.devoursMemory, job.attempt == 1 {
            var child = ChildProcess(program: "/usr/bin/tail", arguments: ["/dev/zero"])
            child.memoryLimit = 64 << 20
            guard case .answered = try await child.run(request: "{}").ending else {
                throw JobDecision.retry(after: .milliseconds(100), reason: "child-failed")
            }
        }
        for step in 1...5 {
            try await Task.sleep(for: .milliseconds(milliseconds) / 5)
            context.report(progress: Double(step) / 5, stage: "wait")
            context.reach(.midRun)
        }
        let name = "\(job.id.rawValue)-\(job.lease.token.rawValue)"
        guard Self.writeDurably(Array(name.utf8) + [UInt8](repeating: 10, count: 16_384), "\(results)/\(name)") else {
            throw JobDecision.retry(after: .milliseconds(300), reason: "disk")
        }
        context.reach(.afterResultFiles)
        return JobResult(json: "\"\(name)\"") { (transaction) throws(PostgresError) in
            try transaction.query(
                Statement("fault.effect", "INSERT INTO effect (job_id, file) VALUES ($1, $2)"),
                [.integer(job.id.rawValue), .text(name)])
        }
    }

    private static func writeDurably(_ bytes: [UInt8], _ path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
    }
}
