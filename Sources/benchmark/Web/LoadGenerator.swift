import Foundation

/// wrk, which asks over many connections as fast as it is answered.
struct LoadGenerator {
    let path: String
    let workspace: Workspace

    struct Result {
        /// - Units: requests per second.
        let rate: Double
        /// - Units: seconds of the server's processors.
        let processorPerRequest: Double
    }

    /// - Parameter fields: of each request, as `Name: value`.
    func run(
        _ server: WebServer, path target: String = "/livez", fields: [String] = [], connections: Int, seconds: Int
    ) throws -> Result {
        let start = server.program.processorSeconds
        let wrk = try workspace.start(
            path,
            ["-t1", "-c\(connections)", "-d\(seconds)s"] + fields.flatMap { ["-H", $0] }
                + ["http://127.0.0.1:\(server.port)\(target)"])
        let output = try wrk.wholeOutput()
        let used = server.program.processorSeconds - start
        // "  123456 requests in 3.00s, 12.34MB read"
        guard let line = output.split(separator: "\n").first(where: { $0.contains(" requests in ") }),
            let count = line.split(separator: " ").first.flatMap({ Double($0) }), count > 0,
            !output.contains("Non-2xx")
        else { throw MeasuringError.programSilent(server.name) }
        return Result(rate: count / Double(seconds), processorPerRequest: used / count)
    }
}
