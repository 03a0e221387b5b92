import Glibc
import Synchronization

/// The places where a fault test may stop or kill the program.
public enum Failpoint: String, CaseIterable, Sendable {
    case beforeClaimCommits = "before-claim-commits"
    case afterClaim = "after-claim"
    /// Each time that a job reports progress.
    case midRun = "mid-run"
    /// What a job made is on the disk, and no row says so yet.
    case afterResultFiles = "after-result-files"
    case beforeFinishCommits = "before-finish-commits"
    /// COMMIT was sent; its answer has not been read.
    case finishCommitSent = "finish-commit-sent"
    case afterFinish = "after-finish"
}

/// What shall happen at failpoints, as text: `after-claim=kill`, `mid-run=stop@3` for the third time that it is reached,
/// `before-finish-commits=pause:500` for so many milliseconds; several separated by commas.
public final class FailpointPlan: Sendable {
    public enum Action: Equatable, Sendable {
        /// SIGKILL to this process.
        case kill
        /// SIGSTOP to this process.
        case stop
        case pause(milliseconds: UInt32)
    }

    public struct Step: Equatable, Sendable {
        public let failpoint: Failpoint
        public let action: Action
        /// At which visit, from 1.
        public let visit: Int
    }

    public let steps: [Step]
    private let visits = Mutex<[Failpoint: Int]>([:])

    /// - Returns: nil when the text is not of that form.
    public init?(_ text: String) {
        var steps: [Step] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let step = Self.step(part) else { return nil }
            steps.append(step)
        }
        self.steps = steps
    }

    private static func step(_ text: Substring) -> Step? {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let failpoint = Failpoint(rawValue: String(sides[0])) else { return nil }
        let words = sides[1].split(separator: "@", omittingEmptySubsequences: false)
        let visit = words.count == 1 ? 1 : words.count == 2 ? Int(words[1]) : nil
        guard let visit, visit > 0 else { return nil }
        let action: Action
        switch words[0].split(separator: ":", omittingEmptySubsequences: false) {
        case ["kill"]: action = .kill
        case ["stop"]: action = .stop
        case let parts where parts.count == 2 && parts[0] == "pause":
            guard let milliseconds = UInt32(parts[1]), milliseconds <= 3_600_000 else { return nil }
            action = .pause(milliseconds: milliseconds)
        default: return nil
        }
        return Step(failpoint: failpoint, action: action, visit: visit)
    }

    /// Does what the plan says for this visit.
    public func reach(_ failpoint: Failpoint) {
        guard let action = visit(failpoint) else { return }
        switch action {
        case .kill: kill(getpid(), SIGKILL)
        case .stop: kill(getpid(), SIGSTOP)
        case .pause(let milliseconds): usleep(milliseconds * 1000)
        }
    }

    /// Counts a visit.
    ///
    /// - Returns: what the plan says for it.
    package func visit(_ failpoint: Failpoint) -> Action? {
        let number = visits.withLock { visits in
            visits[failpoint, default: 0] += 1
            return visits[failpoint]
        }
        return steps.first { $0.failpoint == failpoint && $0.visit == number }?.action
    }
}
