import ArgumentParser
import Foundation
import Jobs
import Postgres

/// The job queue's rates beside pgbench with the same statements on the same database.
struct Queue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Enqueue, claim and finish, heartbeat beside pgbench with the same SQL; claim latency.")

    @Option(help: "Rounds; ours and pgbench take turns in going first.") var rounds = 4
    @Option(help: "Seconds of each measurement.") var seconds = 1
    @Option(help: "Numbers of clients, separated by commas.") var clients = "1,4,8"
    @Option(help: "Folder for the private PostgreSQL.") var folder = NSTemporaryDirectory()
    @OptionGroup var output: OutputOptions

    /// More than any machine works off in one measurement of a second.
    private static let fillCount = 20_000

    private enum Operation: String, CaseIterable {
        case enqueue
        case claimAndFinish = "claim + finish"
        case heartbeat
    }

    private var counts: [Int] { clients.split(separator: ",").compactMap { Int($0) }.filter { $0 > 0 } }

    func validate() throws {
        guard rounds > 0, seconds > 0, !counts.isEmpty else {
            throw ValidationError("--rounds, --seconds and --clients have to be positive")
        }
    }

    func run() async throws {
        guard let path = ChildProgram.find("pgbench") else {
            throw ValidationError("pgbench is missing (Debian package postgresql-contrib or postgresql)")
        }
        let workspace = try Workspace(in: folder)
        defer { workspace.close() }
        let server = try PrivateServer.start(in: workspace.folder)
        // A server that does not stop is left to its owner; the figures are made.
        workspace.atEnd { try? server.stop() }
        let settings = ConnectionSettings(url: server.url())
        _ = try Migrator(settings).up()
        let connection = try Connection(settings)
        let statements = try QueueStatements(connection, kind: QueueLoad.kind)
        let bench = PgBench(path: path, url: server.url(), workspace: workspace)
        let queue = JobQueue(pool: Pool(settings, countLimit: counts.max() ?? 1))
        let load = QueueLoad(queue: queue, connection: connection, seconds: Double(seconds))

        var report = Report("queue")
        var serial: [Operation: Double] = [:]
        for operation in Operation.allCases {
            for count in counts {
                Progress.step("\(operation.rawValue), \(count) clients")
                let (ours, theirs) = try await rates(operation, count, load, statements, bench)
                serial[operation] = serial[operation] ?? theirs
                report.add(
                    Figure(
                        "\(operation.rawValue), \(count) client\(count == 1 ? "" : "s")", ours, "1/s",
                        beside: "pgbench", theirs))
            }
        }
        try load.refill(0)
        let waits = try await ClaimLatency.measure(queue, count: 300)
        let floor = 1 / (serial[.enqueue] ?? .nan) + 1 / (serial[.claimAndFinish] ?? .nan)
        report.add(
            Figure(
                "enqueue to run with NOTIFY, p50", Timing.median(waits) * 1e3, "ms",
                beside: "pgbench: enqueue, claim, finish", floor * 1e3))
        report.add(
            Figure("enqueue to run with NOTIFY, p99", Timing.quantile(waits, 0.99) * 1e3, "ms", beside: "limit", 50))
        report.note("Ours goes through JobQueue and its pool; each statement commits by itself.")
        report.note("pgbench: prepared statements read from our own session, each committed by itself, same server.")
        try report.print(as: output)
    }

    private func rates(
        _ operation: Operation, _ clients: Int, _ load: QueueLoad, _ statements: QueueStatements, _ bench: PgBench
    ) async throws -> (ours: Double, theirs: Double) {
        var ours: [Double] = []
        var theirs: [Double] = []
        for round in 0..<rounds {
            // Whoever follows a heavy writer finds the disk busier, so the two take turns in going first.
            for isOurs in round.isMultiple(of: 2) ? [true, false] : [false, true] {
                try load.refill(operation == .enqueue ? 0 : Self.fillCount * seconds)
                if isOurs {
                    ours.append(try await rate(operation, clients, load))
                } else {
                    theirs.append(try rate(operation, clients, load, statements, bench))
                }
            }
        }
        return (Timing.median(ours), Timing.median(theirs))
    }

    private func rate(_ operation: Operation, _ clients: Int, _ load: QueueLoad) async throws -> Double {
        switch operation {
        case .enqueue: try await load.enqueue(clients: clients)
        case .claimAndFinish: try await load.claimAndFinish(clients: clients)
        case .heartbeat: try await load.heartbeat(try load.leases(clients))
        }
    }

    /// The same by pgbench.
    private func rate(
        _ operation: Operation, _ clients: Int, _ load: QueueLoad, _ statements: QueueStatements, _ bench: PgBench
    ) throws -> Double {
        let script =
            switch operation {
            case .enqueue: try statements.enqueueScript(kind: QueueLoad.kind)
            case .claimAndFinish: try statements.claimAndFinishScript(kind: QueueLoad.kind)
            case .heartbeat: try statements.heartbeatScript(first: try load.leases(clients)[0])
            }
        return try bench.rate(script, clients: clients, seconds: seconds)
    }
}
