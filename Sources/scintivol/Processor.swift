import Foundation
import Glibc
import Jobs

/// How libraries wait for work on a processor that others use too, and what they do with memory.
///
/// A waiting thread of OpenMP or OpenBLAS spins: beside one busy neighbour a training step takes several times as long, and a
/// third of the processor goes into switching. The libraries read this when they are loaded, before any line of ours.
enum Processor {
    /// Many threads of a service allocate at once, for years.
    private static let services = ["run", "serve", "work"]

    /// Starts this very program again, in the same process, with what is not set yet.
    static func share() {
        let isService = CommandLine.arguments.dropFirst().first.map(services.contains) ?? true
        let policy = isService ? ChildProcess.sharing : ChildProcess.sharing.merging(ChildProcess.keeping) { $1 }
        let missing = policy.filter { getenv($0.key) == nil }
        guard !missing.isEmpty else { return }
        for (name, value) in missing { setenv(name, value, 1) }
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &arguments)
        // Where that is forbidden the work is slower, and otherwise the same.
    }
}
