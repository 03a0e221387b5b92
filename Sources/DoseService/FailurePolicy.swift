package import DICOM
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
    /// Whether a request failed because the database did not answer.
    package static func isDatabase(_ error: any Error) -> Bool {
        error is PostgresError || (error as? JobsError)?.postgresError != nil
    }
}
