import FoundationEssentials
import Glibc
import Postgres
import Synchronization

/// A program in a process group of its own, with its output in files of a folder.
public final class RunningProgram: Sendable {
    public struct CannotStart: Error, Equatable {
        public let program: String
        public let errno: Int32
    }

    private let process: SpawnedProcess
    private let folder: StateFolder
    private let name: String
    private let knownStatus = Mutex<Int32?>(nil)

    /// - Parameter name: of the files that hold its process number, output and errors.
    public init(
        _ program: String, _ arguments: [String], name: String, in folder: StateFolder,
        environment: [String: String] = [:]
    ) throws {
        (self.folder, self.name) = (folder, name)
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let descriptors = (
            open("/dev/null", O_RDONLY | O_CLOEXEC), open(folder.file("\(name).out"), flags, 0o600),
            open(folder.file("\(name).log"), flags, 0o600)
        )
        defer {
            close(descriptors.0)
            close(descriptors.1)
            close(descriptors.2)
        }
        let complete = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        switch SpawnedProcess.spawn(program, arguments, environment: complete, descriptors: descriptors) {
        case .success(let started): process = started
        case .failure(let failure): throw CannotStart(program: program, errno: failure.errno)
        }
        try "\(process.identifier)".write(toFile: folder.file("\(name).pid"), atomically: true, encoding: .utf8)
    }

    /// Whoever forgets a program ends it.
    deinit {
        guard knownStatus.withLock({ $0 }) == nil else { return }
        process.signalGroup(SIGKILL)
        while waitpid(process.identifier, nil, 0) < 0, errno == EINTR {}
    }

    public var identifier: Int32 { process.identifier }
    /// What it has written to standard output so far.
    public var output: String { text("out") }
    /// What it has written to standard error so far.
    public var errors: String { text("log") }

    public func signal(_ number: Int32) { kill(process.identifier, number) }
    public func signalGroup(_ number: Int32) { process.signalGroup(number) }

    /// The exit status, minus a signal's number, or nil while it runs. What it left in its group is killed.
    public func statusIfEnded() -> Int32? {
        knownStatus.withLock { known in
            if known != nil { return known }
            guard let ending = process.reapIfEnded() else { return nil }
            unlink(folder.file("\(name).pid"))
            known =
                switch ending {
                case .exited(let status): status
                case .signalled(let signal): -signal
                }
            return known
        }
    }

    /// The exit status, or minus a signal's number; killed at the deadline.
    public func status(within limit: Duration = .seconds(120)) async throws -> Int32 {
        var status: Int32?
        _ = try await eventually(within: limit) {
            status = statusIfEnded()
            return status != nil
        }
        if let status { return status }
        signalGroup(SIGKILL)
        _ = try await eventually { statusIfEnded() != nil }
        return -SIGKILL
    }

    private func text(_ suffix: String) -> String {
        // Missing is the same as empty: nothing was written.
        (try? String(contentsOfFile: folder.file("\(name).\(suffix)"), encoding: .utf8)) ?? ""
    }
}

/// What a program that has ended said.
public struct ProgramRun: Sendable {
    public let status: Int32
    public let output, errors: String

    /// Runs a program to its end. What takes seconds takes minutes on a machine that is busy with other things.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        within limit: Duration = .seconds(600)
    ) async throws {
        let folder = try StateFolder()
        let running = try RunningProgram(program, arguments, name: "run", in: folder, environment: environment)
        status = try await running.status(within: limit)
        (output, errors) = (running.output, running.errors)
    }
}
