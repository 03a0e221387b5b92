import ArgumentParser
import DICOM
import Foundation
import Synchronization

/// Bad objects for the scanner, which may refuse them but not fall over, and for the parser behind it, which sees
/// what the scanner lets through.
struct FuzzScanner: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz-scanner",
        abstract: "Scan objects that were mutated at random; parse those that the scanner accepts.",
        discussion: "A crash shows the block of inputs in which it happened: run it again with --first and --inputs.")

    @Option(help: "How many objects.") var inputs: UInt64 = 10_000_000
    @Option(help: "Number of the first object.") var first: UInt64 = 0
    @Option(help: "Another seed makes other objects.") var seed: UInt64 = 1
    @Option(help: "Threads.") var threads = 2
    @Option(help: "Of the accepted objects every nth is parsed.") var parseEvery: UInt64 = 50
    @OptionGroup var output: OutputOptions

    private struct Tally: Sendable {
        var refused: UInt64 = 0
        var accepted: UInt64 = 0
        var parsed: UInt64 = 0
        var slowestSeconds = 0.0
        var refusals: [String: UInt64] = [:]
    }

    /// Objects between two words about how far it is.
    private static let block: UInt64 = 100_000

    func validate() throws {
        guard inputs > 0, threads > 0, parseEvery > 0 else {
            throw ValidationError("--inputs, --threads and --parse-every have to be positive")
        }
    }

    func run() throws {
        let workspace = try Workspace(in: NSTemporaryDirectory())
        defer { workspace.close() }
        let mutator = ObjectMutator(seeds: try FuzzSeeds.make(in: try workspace.subfolder("seeds")))
        let folder = workspace.folder
        let total = SharedTally()
        let next = Atomic<UInt64>(first)
        let end = first + inputs
        let start = Timing.now()
        try Threads.run(threads) { thread in
            while true {
                let from = next.add(Self.block, ordering: .relaxed).oldValue
                guard from < end else { return }
                Progress.say("inputs \(from) to \(min(from + Self.block, end) - 1)")
                let tally = try self.scan(from..<min(from + Self.block, end), mutator, "\(folder)/\(thread).dcm")
                total.add(tally)
            }
        }
        try report(total.tally.withLock { $0 }, seconds: Timing.now() - start)
    }

    private func scan(_ numbers: Range<UInt64>, _ mutator: ObjectMutator, _ path: String) throws -> Tally {
        var tally = Tally()
        let scanner = ObjectScanner()
        for number in numbers {
            let bytes = mutator.object(number, seed: seed)
            let start = Timing.now()
            do throws(ScanError) {
                _ = try scanner.scan(bytes: bytes)
                tally.accepted += 1
                if tally.accepted % parseEvery == 0 {
                    try? Data(bytes).write(to: URL(fileURLWithPath: path))
                    // Whatever it says: it must come back.
                    _ = try? Dataset(contentsOf: path)
                    tally.parsed += 1
                    continue
                }
            } catch {
                tally.refused += 1
                tally.refusals[Self.name(error), default: 0] += 1
            }
            tally.slowestSeconds = max(tally.slowestSeconds, Timing.now() - start)
        }
        return tally
    }

    /// The case without its values.
    private static func name(_ error: ScanError) -> String { String("\(error)".prefix { $0 != "(" }) }

    private func report(_ tally: Tally, seconds: Double) throws {
        var report = Report("fuzz-scanner")
        report.add(Figure("objects", Double(inputs), "objects", beside: "asked for", Double(inputs)))
        report.add(Figure("refused", Double(tally.refused), "objects", beside: "all", Double(inputs)))
        report.add(Figure("accepted", Double(tally.accepted), "objects", beside: "all", Double(inputs)))
        report.add(Figure("parsed", Double(tally.parsed), "objects", beside: "accepted", Double(tally.accepted)))
        report.add(Figure("slowest", tally.slowestSeconds * 1e3, "ms", beside: "mean", seconds / Double(inputs) * 1e3))
        for (name, count) in tally.refusals.sorted(by: { $0.value > $1.value }) {
            report.note("\(name): \(count)")
        }
        try report.print(as: output)
    }

    private final class SharedTally: Sendable {
        let tally = Mutex(Tally())

        func add(_ other: Tally) {
            tally.withLock { tally in
                tally.refused += other.refused
                tally.accepted += other.accepted
                tally.parsed += other.parsed
                tally.slowestSeconds = max(tally.slowestSeconds, other.slowestSeconds)
                tally.refusals.merge(other.refusals) { $0 + $1 }
            }
        }
    }
}
