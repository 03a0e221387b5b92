import Jobs
import Postgres

/// The queue's own SQL as pgbench scripts, read back from a session that has prepared it.
struct QueueStatements {
    private let texts: [String: String]

    private static let prepared = Statement("benchmark.prepared", "SELECT name, statement FROM pg_prepared_statements")

    /// Runs each operation once; the job that this leaves is completed.
    init(_ connection: Connection, kind: String) throws {
        let ledger = JobLedger(connection)
        _ = try ledger.enqueue(NewJob(kind: kind, payload: "{}"))
        guard let job = try ledger.claim(kinds: [kind], limit: 1, owner: "benchmark", timing: JobTiming()).first else {
            throw MeasuringError.programSilent("job queue")
        }
        _ = try ledger.heartbeat([Heartbeat(lease: job.lease, progress: 0.5, stage: "half")], timing: JobTiming())
        _ = try ledger.finish(job.lease, .completed(result: "{}"))
        _ = try ledger.get(job.id)
        var texts: [String: String] = [:]
        for row in try connection.query(Self.prepared) {
            let name: String = try row["name"]
            texts[name] = try row["statement"]
        }
        self.texts = texts
    }

    func enqueueScript(kind: String) throws -> String {
        try script("job.enqueue", ["'\(kind)'", "NULL", "100", "'{}'", "5", "0", "NULL"]) + ";\n"
    }

    func claimAndFinishScript(kind: String) throws -> String {
        let timing = JobTiming()
        let claim = try script(
            "job.claim.1",
            [
                "'{\(kind)}'", "'benchmark'", "\(timing.lease.components.seconds)",
                "\((timing.runLimit + timing.lease).components.seconds)",
            ])
        let finish = try script("job.finish", [":id", ":lease_token", "'completed'", "'{}'", "NULL", "0"])
        return claim + " \\gset\n" + finish + ";\n"
    }

    /// Each client renews a job of its own.
    func heartbeatScript(first lease: Lease) throws -> String {
        let statement = try script(
            "job.heartbeat",
            ["ARRAY[:job]", "ARRAY[:token]", "ARRAY[0.5]", "ARRAY['half']", "\(JobTiming().lease.components.seconds)"])
        return """
            \\set job \(lease.job.rawValue) + :client_id
            \\set token \(lease.token.rawValue) + :client_id
            \(statement);

            """
    }

    func statusScript(of job: JobID) throws -> String { try script("job.get", ["\(job.rawValue)"]) + ";\n" }

    private func script(_ name: String, _ values: [String]) throws -> String {
        guard var text = texts[name] else { throw MeasuringError.programSilent(name) }
        for (index, value) in values.enumerated().reversed() {
            text = text.replacing("$\(index + 1)", with: value)
        }
        return text.replacing("\n", with: " ")
    }
}
