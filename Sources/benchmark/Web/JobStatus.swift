import Foundation
import Jobs
import Postgres

/// What asking for a job costs: read by one prepared query, beside pgbench with that query, and unchanged.
struct JobStatus {
    let service: ServiceProgram
    let server: WebServer
    let generator: LoadGenerator
    let workspace: Workspace

    private static let clientCounts = [4, 16, 64]

    func measure(rounds: Int, seconds: Int, _ report: inout Report) throws {
        guard let path = ChildProgram.find("pgbench") else {
            report.note(
                "skipped: status of a job, pgbench is missing (Debian package postgresql-contrib or postgresql)")
            return
        }
        let connection = try Connection(ConnectionSettings(url: service.databaseURL))
        let statements = try QueueStatements(connection, kind: QueueLoad.kind)
        let ledger = JobLedger(connection)
        let id = try ledger.enqueue(NewJob(kind: QueueLoad.kind, payload: "{}")).id
        let revision = try ledger.get(id).revision
        let bench = PgBench(path: path, url: service.databaseURL, workspace: workspace)
        let script = try statements.statusScript(of: id)
        let target = "/v1/jobs/\(id.rawValue)"
        let unchanged = ["If-None-Match: \"\(revision)\""]
        for clients in Self.clientCounts {
            var read: [Double] = []
            var known: [Double] = []
            var theirs: [Double] = []
            for round in 0..<rounds {
                Progress.step("status of a job, \(clients) clients, round \(round + 1) of \(rounds)")
                // Whoever goes second finds warmer caches, so they take turns.
                for place in 0..<3 {
                    switch (place + round) % 3 {
                    case 0:
                        read.append(
                            try generator.run(server, path: target, connections: clients, seconds: seconds).rate)
                    case 1:
                        known.append(
                            try generator.run(
                                server, path: target, fields: unchanged, connections: clients, seconds: seconds
                            ).rate)
                    default: theirs.append(try bench.rate(script, clients: clients, seconds: seconds))
                    }
                }
            }
            let yardstick = Timing.median(theirs)
            report.add(
                Figure(
                    "GET of a job, \(clients) clients", Timing.median(read), "1/s", beside: "pgbench, same query",
                    yardstick))
            report.add(
                Figure(
                    "the same, unchanged (304)", Timing.median(known), "1/s", beside: "pgbench, same query", yardstick))
        }
    }
}
