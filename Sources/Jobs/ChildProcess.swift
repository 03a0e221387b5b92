import Dispatch
import FoundationEssentials
import Glibc
import Postgres

/// A program that does a job's work in a process of its own, so that it can be killed, limited, and cannot take the
/// service down.
///
/// The request is one line of JSON on the child's standard input, which stays open: its end tells the child that its
/// parent is gone. The child answers on standard output in lines of JSON: `{"progress":0.5,"stage":"fit"}` any number of
/// times, and one other object, its answer. ``ChildSide`` is the child's half.
///
/// The child leads a process group, which is killed as a whole; cancelling the task sends SIGTERM and, after ``grace``,
/// SIGKILL.
public struct ChildProcess: Sendable {
    public var program: String
    public var arguments: [String]
    /// Added to this process's environment.
    public var environment: [String: String] = [:]
    /// A child at equal priority delays the service's threads by whole scheduler ticks.
    public var niceness = 10
    /// Runs only where nothing else wants to (SCHED_IDLE), for work of hours. Whoever wakes up takes its processor from it
    /// at once; from a child that is only niced, when the child's slice is over.
    public var leavesProcessorAtOnce = false
    /// How much private memory the child may have, in bytes (RLIMIT_DATA).
    public var memoryLimit: Int?
    public var grace: Duration = .seconds(10)
    /// The longest line, in bytes.
    public var lineLimit = 1 << 20
    /// How much of the end of standard error is kept, in bytes.
    public var errorLimit = 1 << 14

    public init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Runs the child on a thread of its own.
    ///
    /// - Parameters:
    ///   - onProgress: called on that thread.
    ///   - onStart: told the number of the process, on that thread.
    /// - Throws: ``JobsError/childNotStarted(errno:)``, ``JobsError/requestNotOneLine``. A program that does not exist
    ///   shows as status 127, `nice`'s own.
    public func run(
        request: String, onProgress: @escaping @Sendable (ChildProgress) -> Void = { _ in },
        onStart: @escaping @Sendable (Int32) -> Void = { _ in }
    ) async throws(JobsError) -> ChildOutcome {
        if request.utf8.contains(UInt8(ascii: "\n")) { throw .requestNotOneLine }
        let stop: WakeupPipe
        do throws(PostgresError) { stop = try WakeupPipe() } catch { throw .childNotStarted(errno: EMFILE) }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A serial queue of its own has a thread of its own.
                DispatchQueue(label: "jobs.child").async {
                    continuation.resume(returning: start(request, stop, onStart, onProgress))
                }
            }
        } onCancel: {
            stop.signal()
        }
        return try result.get()
    }

    private func start(
        _ request: String, _ stop: WakeupPipe, _ onStart: (Int32) -> Void,
        _ onProgress: @escaping (ChildProgress) -> Void
    ) -> Result<ChildOutcome, JobsError> {
        // A socket instead of a pipe for the request: writing to a child that has died then raises no SIGPIPE.
        guard let input = DescriptorPair.sockets(), let output = DescriptorPair.pipes(),
            let error = DescriptorPair.pipes()
        else { return .failure(.childNotStarted(errno: errno)) }
        let command = wrapped
        let spawned = SpawnedProcess.spawn(
            command[0], Array(command.dropFirst()), environment: completeEnvironment,
            descriptors: (input.childEnd, output.childEnd, error.childEnd))
        for pair in [input, output, error] { pair.closeChildEnd() }
        switch spawned {
        case .failure(let failure): return .failure(.childNotStarted(errno: failure.errno))
        case .success(let process):
            onStart(process.identifier)
            var conversation = ChildConversation(
                settings: self, process: process, input: input, output: output, error: error,
                request: Array((request + "\n").utf8), onProgress: onProgress)
            return .success(conversation.run(until: stop))
        }
    }

    /// The priority and the limit must hold before the program's first instruction; these programs set them and become
    /// it.
    private var wrapped: [String] {
        let limit = memoryLimit.map { ["/usr/bin/prlimit", "--data=\($0)", "--"] } ?? []
        let policy = leavesProcessorAtOnce ? ["/usr/bin/chrt", "--idle", "0"] : []
        return policy + ["/usr/bin/nice", "-n", String(niceness)] + limit + [program] + arguments
    }

    /// A spinning thread makes a training step several times slower beside one busy neighbour.
    public static let sharing = ["OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"]

    /// What a network's operations give back is kept for the next ones: the system would clear it each time, a seventh of Stage 2's
    /// processor time. In bytes.
    public static let keeping = [
        "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "536870912",
    ]

    private var completeEnvironment: [String: String] {
        ProcessInfo.processInfo.environment
            .merging(Self.sharing) { $1 }
            .merging(Self.keeping) { $1 }
            .merging(environment) { $1 }
    }
}

/// How far a child says it is.
public struct ChildProgress: Codable, Equatable, Sendable {
    /// From 0 to 1.
    public let progress: Double
    public let stage: String?

    public init(progress: Double, stage: String? = nil) {
        self.progress = progress
        self.stage = stage
    }
}

/// How a child ended.
public enum ChildEnding: Equatable, Sendable {
    case answered(String)
    /// It ended as if all were well but gave no answer.
    case noAnswer
    /// It gave two answers, or a line that is not JSON.
    case garbled
    /// A line exceeded the limit; it was killed.
    case lineTooLong
    case failed(status: Int32)
    /// A signal that we did not send; 9 is usually the kernel's, when memory runs out.
    case killed(signal: Int32)
    /// The task was cancelled.
    case stopped
}

public struct ChildOutcome: Equatable, Sendable {
    public let ending: ChildEnding
    /// The last of what it wrote to standard error. It may quote data: not for the log.
    public let standardError: String
}

/// Two connected descriptors, closed when both halves are done with; our end never blocks.
final class DescriptorPair {
    let ourEnd: Int32
    private(set) var childEnd: Int32

    private init(ours: Int32, childs: Int32) {
        (ourEnd, childEnd) = (ours, childs)
        for end in [ours, childs] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ours, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(ourEnd)
        closeChildEnd()
    }

    func closeChildEnd() {
        if childEnd >= 0 { close(childEnd) }
        childEnd = -1
    }

    /// For what the child reads.
    static func sockets() -> DescriptorPair? {
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return nil }
        return DescriptorPair(ours: ends[0], childs: ends[1])
    }

    /// For what the child writes.
    static func pipes() -> DescriptorPair? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        return DescriptorPair(ours: ends[0], childs: ends[1])
    }
}
