package import DICOM
package import HTTP
package import Jobs
import Postgres

/// The one place that turns an error into what others get to see: a DIMSE status, or the fate of a job.
package enum FailurePolicy {
    /// 0111: an instance of this UID is there with other bytes; the first is kept.
    package static let duplicateStatus = StoreStatus.refused(
        code: 0x0111, comment: "other bytes under this UID are kept")

    package static func storeStatus(_ error: any Error) -> StoreStatus {
        switch error {
        case let error as ScanError: scanStatus(error)
        case is DurableFile.Failure: .outOfResources(comment: "not durable on disk")
        case is PostgresError: .outOfResources(comment: "not indexed")
        default: .outOfResources(comment: "unexpected")
        }
    }

    private static func scanStatus(_ error: ScanError) -> StoreStatus {
        switch error {
        case .cannotRead, .lengthChanged: .outOfResources(comment: "not readable on disk")
        case .identityMismatch: .dataSetMismatch(comment: "dataset is not what the command names")
        default: .cannotUnderstand(comment: "not a well-formed object")
        }
    }

    /// How an attempt of a job ends when its study has a problem.
    package static func decision(_ problem: StudyProblem) -> JobDecision {
        switch problem {
        case .needsInput(let code, _), .refused(let code): .discard(reason: code)
        case .failed(let code): .retry(reason: code)
        }
    }

    /// How an attempt ends when its child did not answer.
    package static func decision(_ ending: ChildEnding) -> JobDecision? {
        switch ending {
        case .answered: nil
        case .noAnswer, .garbled, .lineTooLong: .retry(reason: "child-answer")
        case .failed: .retry(reason: "child-failed")
        case .killed: .retry(reason: "child-killed")
        // The worker knows why it stopped the child.
        case .stopped: .retry(reason: "child-stopped")
        }
    }

    /// Whether a status of C-STORE is worth another try.
    package static func isTransient(status: UInt16) -> Bool {
        status & 0xFF00 == 0xA700
    }

    /// Whether a failed association is worth another try.
    package static func isTransient(_ error: NetworkError) -> Bool {
        switch error {
        case .noAcceptedContext: false
        default: true
        }
    }

    /// The state of a case whose study has a problem.
    package static func caseState(_ problem: StudyProblem) -> CaseState {
        switch problem {
        case .needsInput: .needsInput
        case .refused, .failed: .failed
        }
    }
}

extension FailurePolicy {
    /// What a failed request is answered with: nothing of the error's own text.
    package static func problem(_ error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as CaseActionError: problem(error)
        case let error as CaseAnswers.Refusal: problem(error)
        case let error as JobsError: problem(error)
        case let error as PostgresError: problem(error)
        case HTTPError.cannotOpenFile: .notFound("file")
        default: ProblemType.internalError.problem()
        }
    }

    private static func problem(_ error: CaseActionError) -> Problem {
        switch error {
        case .unknownCase: .notFound("case")
        case .stateForbids(let state): ProblemType.stateForbids.problem("The case is \(state.rawValue).")
        case .resultGone: ProblemType.conflict.problem("The files of the result are gone.")
        case .unknownCycle: .notFound("cycle")
        case .administeredAfterImage:
            ProblemType.conflict.problem(
                "times-out-of-order: an image of the cycle was taken before this; state when it was given.")
        case .cycleStateForbids(let state): ProblemType.stateForbids.problem("The cycle is \(state.rawValue).")
        case .jobs(let error): problem(error)
        case .database(let error): problem(error)
        }
    }

    private static func problem(_ error: CaseAnswers.Refusal) -> Problem {
        switch error {
        // Its name is the client's own text.
        case .unknownField: ProblemType.invalidBody.problem("A field is none that can be answered.")
        case .unusableValue(let field): ProblemType.invalidBody.problem("\(field) has not the form that it asks for.")
        }
    }

    private static func problem(_ error: JobsError) -> Problem {
        switch error {
        case .unknownJob: .notFound("job")
        case .notRetryable(let state): ProblemType.stateForbids.problem("The job is \(state.rawValue).")
        case .alreadyEnded(let state): ProblemType.alreadyEnded.problem("The job is \(state.rawValue).")
        case .keyContended: ProblemType.conflict.problem("Try again.")
        case .database(let error): problem(error)
        case .invalidJSON, .documentTooLarge, .unknownDependency, .unknownState, .childNotStarted,
            .requestNotOneLine:
            ProblemType.internalError.problem()
        }
    }

    private static func problem(_ error: PostgresError) -> Problem {
        switch error {
        case .parameterHoldsNUL: ProblemType.invalidParameter.problem("A text holds NUL.")
        case .statementFailed(_, .uniqueViolation, _): ProblemType.conflict.problem("It is there already.")
        // Whatever else the database says: the client can only come again.
        default: ProblemType.databaseUnavailable.problem()
        }
    }
}
