import ArgumentParser
import Foundation

/// How many objects a second become durable, beside the disk, storescp and Orthanc.
struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "C-STORE of 512 KiB objects, every one durable before its Success.")

    @Option(help: "Objects in each round.") var objects = 600
    @Option(help: "Rounds; every contestant takes its turn in each.") var rounds = 4
    @Option(help: "Numbers of associations, separated by commas.") var associations = "1,4,8"
    @Option(help: "C-ECHO associations, one after the other, beside the memory that they leave taken.") var echoes = 200
    @Option(help: "Folder on the disk that is measured; takes some GB until the end.") var folder =
        NSTemporaryDirectory()
    @OptionGroup var output: OutputOptions

    /// The rounds of one number of associations.
    private struct Rates {
        var disk: [Double] = []
        var servers: [String: [Double]] = [:]
        var processor: [String: [Double]] = [:]
    }

    func validate() throws {
        guard objects > 0, objects < 100_000, rounds > 0, echoes > 0, !counts.isEmpty else {
            throw ValidationError("--objects, --rounds, --associations and --echoes have to be positive")
        }
    }

    private var counts: [Int] { associations.split(separator: ",").compactMap { Int($0) }.filter { $0 > 0 } }

    func run() throws {
        var report = Report("ingest")
        guard let program = ChildProgram.sibling("scintivol") else {
            throw ValidationError("scintivol is not built beside this program: swift build -c release")
        }
        let workspace = try Workspace(in: folder)
        defer { workspace.close() }
        let source = try TestObjects(count: objects, in: try workspace.subfolder("source"))
        var servers = [try StorageServer.scintivol(program, in: workspace)]
        if let path = ChildProgram.find("storescp") {
            servers.append(try .storescp(path, in: workspace))
        } else {
            report.note("skipped: storescp is missing (Debian package dcmtk)")
        }
        if let path = ChildProgram.find("Orthanc") {
            servers.append(try .orthanc(path, in: workspace))
        } else {
            report.note("skipped: Orthanc is missing (Debian package orthanc)")
        }
        let before = servers[0].program.residentBytes
        try measureRates(source, servers, workspace, &report)
        let after = servers[0].program.residentBytes
        report.add(
            Figure(
                "memory after \(counts.count * (rounds + 1) * objects) objects", megabytes(after), "MB",
                beside: "before", megabytes(before)))
        try measureEchoes(servers, &report)
        report.note("Sender of every row: our own StorageSender, one thread per association, files in the page cache.")
        report.note("The disk: write and fsync of the same files by as many threads. storescp syncs nothing.")
        try report.print(as: output)
    }

    private func measureRates(
        _ source: TestObjects, _ servers: [StorageServer], _ workspace: Workspace, _ report: inout Report
    ) throws {
        var round = 0
        for count in counts {
            var rates = Rates()
            // The first round warms up and is not counted.
            for turn in 0...rounds {
                Progress.step("\(count) associations, round \(turn) of \(rounds)")
                source.rename(round: round)
                round += 1
                // Whoever follows a heavy writer finds the disk busier, so each is first, second, last in turn.
                for place in 0...servers.count {
                    let contestant = (place + turn) % (servers.count + 1)
                    guard contestant < servers.count else {
                        let rate = try DurableWriting.rate(
                            of: source.bytes, count: objects, threads: count, in: "\(workspace.folder)/disk\(round)")
                        if turn > 0 { rates.disk.append(rate) }
                        continue
                    }
                    let server = servers[contestant]
                    let start = server.program.processorSeconds
                    let rate = try server.receive(source, associations: count)
                    let used = (server.program.processorSeconds - start) / Double(objects)
                    sync()
                    guard turn > 0 else { continue }
                    rates.servers[server.name, default: []].append(rate)
                    rates.processor[server.name, default: []].append(used)
                }
            }
            add(rates, count, servers.dropFirst().map(\.name), &report)
        }
    }

    private func add(_ rates: Rates, _ count: Int, _ others: [String], _ report: inout Report) {
        let ours = Timing.median(rates.servers["ours"] ?? [])
        let disk = Timing.median(rates.disk)
        let label = "\(count) association\(count == 1 ? "" : "s")"
        report.add(Figure(label, ours, "objects/s", beside: "disk, \(count) threads", disk))
        for name in others {
            let rate = Timing.median(rates.servers[name] ?? [])
            report.add(Figure(label, ours, "objects/s", beside: name, rate))
            if name == "storescp" {
                report.add(Figure(label, ours, "objects/s", beside: "smaller of disk and storescp", min(disk, rate)))
                report.add(
                    Figure(
                        "\(label), server's processor", Timing.median(rates.processor["ours"] ?? []) * 1e3,
                        "ms/object", beside: name, Timing.median(rates.processor[name] ?? []) * 1e3))
            }
        }
    }

    private func measureEchoes(_ servers: [StorageServer], _ report: inout Report) throws {
        let ours = servers[0]
        let idleSockets = 50
        let quiet = try EchoMeasurement.latencies(ours, count: 20)
        let crowded = try EchoMeasurement.latencies(ours, count: 50, idleSockets: idleSockets)
        report.add(
            Figure(
                "C-ECHO median, \(idleSockets) idle sockets", Timing.median(crowded) * 1e3, "ms",
                beside: "without them",
                Timing.median(quiet) * 1e3))
        report.add(
            Figure(
                "C-ECHO slowest of 50, \(idleSockets) idle sockets", (crowded.max() ?? 0) * 1e3, "ms", beside: "limit",
                100))
        let before = ours.program.residentBytes
        _ = try EchoMeasurement.latencies(ours, count: echoes)
        report.add(
            Figure(
                "memory after \(echoes) C-ECHO associations", megabytes(ours.program.residentBytes), "MB",
                beside: "before",
                megabytes(before)))
    }

    private func megabytes(_ bytes: Int) -> Double { Double(bytes) / 1e6 }
}
