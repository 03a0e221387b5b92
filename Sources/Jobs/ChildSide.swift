import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// The child's half of ``ChildProcess``: reads the request, reports progress, answers, and ends with its parent.
public final class ChildSide: Sendable {
    /// JSON text.
    public let request: String
    private let output: Mutex<Int32>

    /// Reads the request and begins to watch the parent. Called once, first thing in the process.
    ///
    /// From here on, what libraries print to standard output goes to standard error, so that it cannot garble an answer.
    ///
    /// - Returns: `nil` when standard input ends before a request came.
    public init?() {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard byte == UInt8(ascii: "\n") else { return nil }
        request = String(decoding: line, as: UTF8.self)
        output = Mutex(dup(STDOUT_FILENO))
        dup2(STDERR_FILENO, STDOUT_FILENO)
        DispatchQueue(label: "jobs.parent").async { ChildSide.endWithParent() }
    }

    public func report(progress: Double, stage: String? = nil) {
        // Encoding fails only for a progress that is no number, which is not worth a word.
        if let data = try? JSONEncoder().encode(ChildProgress(progress: progress, stage: stage)) { send(Array(data)) }
    }

    /// Gives the answer, once.
    ///
    /// - Parameter json: one line of JSON without the key `progress`.
    public func answer(_ json: String) {
        precondition(!json.utf8.contains(UInt8(ascii: "\n")), "an answer is one line")
        send(Array(json.utf8))
    }

    private func send(_ line: [UInt8]) {
        var rest = (line + [UInt8(ascii: "\n")])[...]
        output.withLock { descriptor in
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count < 0 && errno != EINTR { return }
                rest = rest.dropFirst(max(0, count))
            }
        }
    }

    /// Standard input stays open, and silent, as long as the parent lives.
    private static func endWithParent() {
        var byte: UInt8 = 0
        while true {
            let count = read(STDIN_FILENO, &byte, 1)
            if count == 0 || (count < 0 && errno != EINTR) { break }
        }
        // Whatever this process has started ends with it; a process that leads no group has no business with others'.
        if getpgrp() == getpid() { kill(0, SIGKILL) }
        _exit(1)
    }
}
