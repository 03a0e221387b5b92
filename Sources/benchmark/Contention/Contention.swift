import ArgumentParser
import Foundation
import Jobs
import Postgres

/// What queue, listener and HTTP keep of their rates while a job trains on all cores.
struct Contention: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Queue, C-STORE and HTTP while a job trains on all cores, beside the same machine without it.")

    @Option(help: "Rounds; each measures with and without the training, in turns.") var rounds = 4
    @Option(help: "Seconds of each measurement.") var seconds = 2
    @Option(help: "Clients and associations.") var clients = 4
    @Option(help: "Objects of each C-STORE measurement.") var objects = 200
    @Option(help: "Seconds for the training to get under way.") var warmUp = 10
    @Option(help: "Folder for the service's state.") var folder = NSTemporaryDirectory()
    @OptionGroup var output: OutputOptions

    private struct Measurement {
        let name, unit: String
        let run: () async throws -> Double
        var idle: [Double] = []
        var loaded: [Double] = []
    }

    func validate() throws {
        guard rounds > 0, seconds > 0, clients > 0, objects > 0, warmUp >= 0 else {
            throw ValidationError("all numbers have to be positive")
        }
    }

    func run() async throws {
        guard let program = ChildProgram.sibling("scintivol"), let own = ChildProgram.sibling("benchmark") else {
            throw ValidationError("scintivol is not built beside this program: swift build -c release")
        }
        let workspace = try Workspace(in: folder)
        defer { workspace.close() }
        var report = Report("contention")
        let service = try ServiceProgram(program, in: workspace)
        var measurements = [
            try queue(service), try ingest(service, workspace),
        ]
        if let path = ChildProgram.find("wrk") {
            let web = try WebServer.running(service)
            let generator = LoadGenerator(path: path, workspace: workspace)
            measurements.append(
                Measurement(name: "HTTP: GET /livez, 64 connections", unit: "1/s") {
                    try generator.run(web, connections: 64, seconds: seconds).rate
                })
        } else {
            report.note("skipped: HTTP, wrk is missing (Debian package wrk)")
        }
        for round in 0..<rounds {
            // What comes second finds a busier disk, so the two take turns in going first.
            for isLoaded in round.isMultiple(of: 2) ? [false, true] : [true, false] {
                Progress.step("round \(round + 1) of \(rounds), \(isLoaded ? "training" : "idle")")
                let load = isLoaded ? TrainingLoad(own) : nil
                if isLoaded { try await Task.sleep(for: .seconds(warmUp)) }
                for index in measurements.indices {
                    let value = try await measurements[index].run()
                    if isLoaded {
                        measurements[index].loaded.append(value)
                    } else {
                        measurements[index].idle.append(value)
                    }
                }
                try await load?.end()
            }
        }
        for measurement in measurements {
            report.add(
                Figure(
                    measurement.name, Timing.median(measurement.loaded), measurement.unit, beside: "without training",
                    Timing.median(measurement.idle)))
        }
        report.note("Training: benchmark training in a niced child whose OpenMP threads wait passively. Limit: 0.70.")
        try report.print(as: output)
    }

    private func queue(_ service: ServiceProgram) throws -> Measurement {
        let settings = ConnectionSettings(url: service.databaseURL)
        let load = QueueLoad(
            queue: JobQueue(pool: Pool(settings, countLimit: clients)), connection: try Connection(settings),
            seconds: Double(seconds))
        return Measurement(name: "queue: claim + finish, \(clients) clients", unit: "1/s") {
            try load.refill(20_000 * seconds)
            return try await load.claimAndFinish(clients: clients)
        }
    }

    private func ingest(_ service: ServiceProgram, _ workspace: Workspace) throws -> Measurement {
        let source = try TestObjects(count: objects, in: try workspace.subfolder("source"))
        let server = try StorageServer.running(service)
        var round = 0
        return Measurement(name: "C-STORE: 512 KiB objects, \(clients) associations", unit: "objects/s") {
            source.rename(round: round)
            round += 1
            return try server.receive(source, associations: clients)
        }
    }
}
