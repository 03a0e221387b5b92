import DICOM
import Foundation
import Jobs

/// The child process of a job: a request on standard input, progress and one answer on standard output.
///
/// Foreign DICOM is parsed and all numbers are crunched here, in a process that may be killed at any moment.
public enum ChildWork {
    /// Name of the hidden subcommand.
    public static let subcommand = "child"
    /// Most private memory that a child may take, in bytes.
    static let memoryLimit = 12 << 30

    /// What the child is asked for.
    enum Order: Codable, Equatable {
        case reconstruction(ReconstructionRun.Request)
        case dose(DoseRun.Request)
        case personalisation(PersonalisationRun.Request)
    }

    /// What the child answers with.
    enum Answer: Codable, Equatable {
        case summary(ResultSummary)
        case dose(DoseSummary)
        case model(PersonalisationRun.Summary)
        case problem(StudyProblem)
    }

    /// - Returns: false when there was no request.
    public static func run() -> Bool {
        guard let side = ChildSide() else { return false }
        guard let order = JSONText.decode(Order.self, from: side.request) else {
            side.answer(JSONText.encode(Answer.problem(.failed(code: "request-garbled"))))
            return true
        }
        let answer: Answer
        do throws(StudyProblem) {
            answer =
                switch order {
                case .reconstruction(let request):
                    .summary(try ReconstructionRun(request).perform { side.report(progress: $0, stage: $1) })
                case .dose(let request): .dose(try DoseRun(request).perform { side.report(progress: $0, stage: $1) })
                case .personalisation(let request):
                    .model(try PersonalisationRun(request: request).perform { side.report(progress: $0, stage: $1) })
                }
        } catch { answer = .problem(error) }
        side.answer(JSONText.encode(answer))
        return true
    }

    /// Has a child do the work of an attempt.
    ///
    /// - Parameter yields: whether anything else that wants a processor takes it from the child at once.
    /// - Throws: `JobDecision` when it does not answer.
    static func ask(
        _ order: Order, program: String, _ context: JobContext, _ log: ChildLog, yields: Bool = false
    ) async throws -> Answer {
        var child = ChildProcess(program: program, arguments: [subcommand])
        child.leavesProcessorAtOnce = yields
        child.memoryLimit = memoryLimit
        if let traceparent = log.traceparent { child.environment["TRACEPARENT"] = traceparent }
        let outcome = try await child.run(request: JSONText.encode(order)) {
            context.report(progress: $0.progress, stage: $0.stage)
            log.progressed($0)
            context.reach(.midRun)
        } onStart: {
            log.started($0)
        }
        log.ended(outcome.ending)
        guard case .answered(let text) = outcome.ending, let answer = JSONText.decode(Answer.self, from: text) else {
            throw FailurePolicy.decision(outcome.ending) ?? JobDecision.retry(reason: "child-answer")
        }
        return answer
    }
}
