import ArgumentParser
import Foundation

/// What an HTTP request costs, beside nginx and Hummingbird.
struct HTTPServing: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http", abstract: "Processor time per request and memory of idle connections.")

    @Option(help: "Rounds; every server takes its turn in each.") var rounds = 3
    @Option(help: "Seconds of each measurement.") var seconds = 2
    @Option(help: "Connections that are kept alive under load.") var connections = 64
    @Option(help: "Connections that stay idle.") var idle = 10_000
    @Option(help: "Folder of the packages of peers.") var peers = "Benchmarks"
    @Flag(help: "Build the Hummingbird peer when it is missing; takes minutes.") var buildPeers = false
    @Option(help: "Folder for the service's state.") var folder = NSTemporaryDirectory()
    @OptionGroup var output: OutputOptions

    func run() throws {
        var report = Report("http")
        guard let program = ChildProgram.sibling("scintivol") else {
            throw ValidationError("scintivol is not built beside this program: swift build -c release")
        }
        raiseDescriptorLimit()
        let workspace = try Workspace(in: folder)
        defer { workspace.close() }
        let service = try ServiceProgram(program, in: workspace)
        var servers = [try WebServer.running(service)]
        if let path = ChildProgram.find("nginx") {
            servers.append(try .nginx(path, in: workspace))
        } else {
            report.note("skipped: nginx is missing (Debian package nginx)")
        }
        if let path = try peer(workspace) {
            servers.append(try .hummingbird(path, in: workspace))
        } else {
            report.note("skipped: the Hummingbird peer is not built (--build-peers, or swift build in \(peers))")
        }
        try measureIdle(servers, &report)
        if let path = ChildProgram.find("wrk") {
            let generator = LoadGenerator(path: path, workspace: workspace)
            try measureLoad(servers, generator, &report)
            try JobStatus(service: service, server: servers[0], generator: generator, workspace: workspace)
                .measure(rounds: rounds, seconds: seconds, &report)
        } else {
            report.note("skipped: requests under load, wrk is missing (Debian package wrk)")
        }
        try report.print(as: output)
    }

    private func measureLoad(_ servers: [WebServer], _ generator: LoadGenerator, _ report: inout Report) throws {
        var rates: [String: [Double]] = [:]
        var costs: [String: [Double]] = [:]
        for round in 0..<rounds {
            for server in servers {
                Progress.step("\(server.name), round \(round + 1) of \(rounds)")
                let result = try generator.run(server, connections: connections, seconds: seconds)
                rates[server.name, default: []].append(result.rate)
                costs[server.name, default: []].append(result.processorPerRequest)
            }
        }
        func median(_ values: [String: [Double]], _ server: WebServer) -> Double {
            Timing.median(values[server.name] ?? [])
        }
        for rival in servers.dropFirst() {
            let load = "/livez, \(connections) connections"
            report.add(
                Figure(
                    "processor per request, \(load)", median(costs, servers[0]) * 1e6, "us", beside: rival.name,
                    median(costs, rival) * 1e6))
            report.add(
                Figure("rate, \(load)", median(rates, servers[0]), "1/s", beside: rival.name, median(rates, rival)))
        }
        report.note("Load: wrk, one thread. nginx: 2 workers, a static file of the same size. Hummingbird: JSON.")
    }

    /// Each connection has had one answer and is kept alive.
    private func measureIdle(_ servers: [WebServer], _ report: inout Report) throws {
        var grown: [Double] = []
        for server in servers.prefix(2) {
            Progress.step("\(idle) idle connections to \(server.name)")
            let before = server.program.residentBytes
            // Several addresses of our own, because a server may bound what one may have.
            let perAddress = 500
            let held = (0..<idle).compactMap { number in
                LoopbackConnection(port: server.port, from: UInt16(0x100 + number / perAddress))
            }
            let answered = held.count { $0.exchange("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            grown.append(Double(server.program.residentBytes - before) / 1e6)
            held.forEach { $0.close() }
            guard answered == idle else {
                report.note("\(server.name) held only \(answered) of \(idle) idle connections")
                continue
            }
        }
        let label = "memory of \(idle) idle connections"
        report.add(Figure(label, grown[0], "MB", beside: "limit", 200))
        if grown.count > 1 { report.add(Figure(label, grown[0], "MB", beside: servers[1].name, grown[1])) }
    }

    private func peer(_ workspace: Workspace) throws -> String? {
        let package = URL(fileURLWithPath: peers).appendingPathComponent("HummingbirdPeer").path
        let built = "\(package)/.build/release/HummingbirdPeer"
        if buildPeers, let swift = ChildProgram.find("swift") {
            _ = try workspace.start(swift, ["build", "-c", "release", "--package-path", package]).wholeOutput()
        }
        return FileManager.default.isExecutableFile(atPath: built) ? built : nil
    }

    /// Ours and, inherited, that of the servers.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
