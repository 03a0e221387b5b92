import Foundation
import Jobs
import DICOM

/// The child process of a job: a request on standard input, progress and one answer on standard output.
///
/// Foreign DICOM is parsed and all numbers are crunched here, in a process that may be killed at any moment.
public enum ChildWork {
    /// Name of the hidden subcommand.
    public static let subcommand = "child"

    /// What the child answers with.
    enum Answer: Codable, Equatable {
        case summary(ResultSummary)
        case problem(StudyProblem)
    }

    /// - Returns: false when there was no request.
    public static func run() -> Bool {
        guard let side = ChildSide() else { return false }
        guard let request = JSONText.decode(ReconstructionRun.Request.self, from: side.request) else {
            side.answer(JSONText.encode(Answer.problem(.failed(code: "request-garbled"))))
            return true
        }
        do {
            let summary = try ReconstructionRun(request).perform { side.report(progress: $0, stage: $1) }
            side.answer(JSONText.encode(Answer.summary(summary)))
        } catch { side.answer(JSONText.encode(Answer.problem(error))) }
        return true
    }
}
