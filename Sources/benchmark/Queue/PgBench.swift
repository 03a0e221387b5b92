import Foundation

/// PostgreSQL's own load generator, on the same server and database as ours.
struct PgBench {
    let path: String
    let url: String
    let workspace: Workspace

    /// - Returns: transactions per second.
    func rate(_ script: String, clients: Int, seconds: Int) throws -> Double {
        let file = "\(workspace.folder)/script.sql"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        let program = try workspace.start(
            path,
            [
                "-n", "-M", "prepared", "-c", "\(clients)", "-j", "\(min(clients, 2))", "-T", "\(seconds)", "-f", file,
                url,
            ])
        let output = try program.wholeOutput()
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let rate = line.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) })
        else { throw MeasuringError.programSilent("pgbench") }
        return rate
    }
}
