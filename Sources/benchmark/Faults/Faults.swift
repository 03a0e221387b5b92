import ArgumentParser
import Foundation
import Postgres

/// The fault matrix: every way of failing, again and again, and what was lost or done twice.
struct Faults: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Kill, stop and cut off workers and their database; count what is lost or done twice.")

    @Option(help: "How often each fault happens.") var rounds = 5
    @Option(help: "Jobs of each trial.") var jobs = 16
    @Option(help: "Seconds of a lease; heartbeat, sweep and margin follow in proportion.") var leaseSeconds = 3.0
    @Option(help: "Only faults whose name contains this.") var only: String?
    @Option(help: "Folder for the private PostgreSQL.") var folder = NSTemporaryDirectory()
    @Flag(help: "Print a table for the documentation.") var markdown = false
    @OptionGroup var output: OutputOptions

    private struct Line {
        let scenario: FaultScenario
        var outcomes: [FaultTrial.Outcome] = []

        var recoveries: [Double] { outcomes.compactMap(\.recoverySeconds) }
    }

    func validate() throws {
        guard rounds > 0, jobs > 4, leaseSeconds >= 1 else {
            throw ValidationError("--rounds has to be positive, --jobs at least 5 and --lease-seconds at least 1")
        }
    }

    func run() async throws {
        let workspace = try Workspace(in: folder)
        defer { workspace.close() }
        let server = try PrivateServer.start(in: workspace.folder)
        // A server that does not stop is left to its owner; the figures are made.
        workspace.atEnd { try? server.stop() }
        let disk = mountSmallDisk(workspace)
        var report = Report("faults")
        if markdown {
            Self.say(Self.head)
        }
        var lines: [Line] = []
        var number = 0
        var failures: [String] = []
        for scenario in FaultScenario.all where only.map({ scenario.name.contains($0) }) ?? true {
            if scenario == .diskFull && disk == nil {
                report.note("skipped: \(scenario.name), a small disk can only be mounted by root")
                continue
            }
            var line = Line(scenario: scenario)
            for round in 0..<rounds {
                Progress.step("\(scenario.name), \(round + 1) of \(rounds)")
                number += 1
                let trial = FaultTrial(
                    scenario: scenario, server: server, workspace: workspace, number: number, jobCount: jobs,
                    leaseSeconds: leaseSeconds, smallDisk: disk)
                do { line.outcomes.append(try await trial.run()) } catch {
                    // The matrix goes on, and fails at its end.
                    failures.append("\(scenario.name), round \(round + 1): \(error)")
                }
            }
            lines.append(line)
            // A long run that is cut short leaves what it has found.
            if markdown { Self.say(row(line)) }
        }
        for failure in failures { report.note("failed: \(failure)") }
        if !markdown {
            for line in lines { add(line, to: &report) }
            report.note("Lease \(leaseSeconds) s; recovery is until every job that was hit runs again or has ended.")
            try report.print(as: output)
        }
        let harm = lines.flatMap(\.outcomes).reduce(0) { $0 + $1.lost + $1.doubled }
        if harm > 0 || !failures.isEmpty {
            failures.forEach { Progress.say("failed: \($0)") }
            throw ExitCode(1)
        }
    }

    private func add(_ line: Line, to report: inout Report) {
        let name = line.scenario.name
        let lost = line.outcomes.map(\.lost).reduce(0, +)
        let doubled = line.outcomes.map(\.doubled).reduce(0, +)
        report.add(Figure("\(name): jobs lost", Double(lost), "jobs", beside: "limit", 0))
        report.add(Figure("\(name): effects doubled", Double(doubled), "effects", beside: "limit", 0))
        guard !line.recoveries.isEmpty else { return }
        // Lease and sweep have these proportions, and the wait for a poll follows.
        let limit = leaseSeconds * 60 / 45
        for (label, part) in [("p50", 0.5), ("p99", 0.99)] {
            report.add(
                Figure(
                    "\(name): recovery \(label)", Timing.quantile(line.recoveries, part), "s",
                    beside: "lease + sweep", limit))
        }
    }

    private static let head = """
        | Fault | Trials | Jobs | Lost | Doubled | Rescued | Late writes refused | Recovery p50, s | p99, s |
        |---|---|---|---|---|---|---|---|---|
        """

    /// At once, also into a file.
    private static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    private func row(_ line: Line) -> String {
        func sum(_ path: KeyPath<FaultTrial.Outcome, Int>) -> Int {
            line.outcomes.map { $0[keyPath: path] }.reduce(0, +)
        }
        func recovery(_ part: Double) -> String {
            line.recoveries.isEmpty ? "-" : String(format: "%.1f", Timing.quantile(line.recoveries, part))
        }
        return "| \(line.scenario.name) | \(line.outcomes.count) | \(jobs * line.outcomes.count) | \(sum(\.lost)) "
            + "| \(sum(\.doubled)) | \(sum(\.rescued)) | \(sum(\.fenced)) | \(recovery(0.5)) | \(recovery(0.99)) |"
    }

    /// - Returns: nil when nothing may be mounted here.
    private func mountSmallDisk(_ workspace: Workspace) -> String? {
        guard let path = try? workspace.subfolder("disk"), let mount = ChildProgram.find("mount"),
            let program = try? workspace.start(mount, ["-t", "tmpfs", "-o", "size=2m", "small", path]),
            (try? program.wholeOutput()) != nil
        else { return nil }
        workspace.atEnd {
            guard let unmount = ChildProgram.find("umount") else { return }
            let ending = try? ChildProgram(unmount, ["-l", path], environment: [:], in: "/")
            _ = try? ending?.wholeOutput()
        }
        return path
    }
}
