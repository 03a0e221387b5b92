import DICOM
import DoseService
import HTTP
import Jobs
import Postgres
import Testing

/// Every error, and what others get to see of it.
@Suite struct FailurePolicyTests {
    private struct Unknown: Error {}

    private static let element = ElementNumber(0x0010_0020)

    @Test(
        arguments: [
            (ScanError.cannotRead(code: 5), 0xA700), (.lengthChanged(expected: 2, found: 1), 0xA700),
            (.noPrefix, 0xC000),
            (.invalidMetaHeader(offset: 132), 0xC000), (.unsupportedTransferSyntax, 0xC000),
            (.truncated(offset: 9), 0xC000),
            (.overrun(offset: 9, element: element), 0xC000), (.oddLength(offset: 9, element: element), 0xC000),
            (.undefinedLength(offset: 9, element: element), 0xC000),
            (.invalidRepresentation(offset: 9, element: element), 0xC000),
            (.unexpectedElement(offset: 9, element: element), 0xC000),
            (.duplicateElement(offset: 9, element: element), 0xC000), (.tooDeep(offset: 9, limit: 8), 0xC000),
            (.tooManyElements(offset: 9, limit: 8), 0xC000), (.missingElement(element), 0xC000),
            (.invalidValue(element), 0xC000), (.identityMismatch(element), 0xA900),
            (.pixelDataLength(expected: 2, found: 1), 0xC000), (.fragmentCount(frames: 2, found: 1), 0xC000),
            (.imageTooLarge, 0xC000),
        ] as [(ScanError, UInt16)])
    func statusOfAnObjectThatCannotBeScanned(error: ScanError, status: UInt16) {
        #expect(FailurePolicy.storeStatus(error).code == status)
    }

    @Test(
        arguments: [
            DurableFile.Failure(operation: "fsync", errno: 28), PostgresError.poolExhausted,
            PostgresError.connectionLost(statement: "instance_insert"), Unknown(),
        ] as [any Error])
    func whatIsOurFaultMaySoonSucceed(error: any Error) {
        let status = FailurePolicy.storeStatus(error)
        #expect(status.code == 0xA700 && FailurePolicy.isTransient(status: status.code))
    }

    @Test func otherBytesUnderAUIDAreADuplicate() { #expect(FailurePolicy.duplicateStatus.code == 0x0111) }

    @Test(arguments: [
        (StudyProblem.needsInput(code: "a", fields: ["b"]), JobDecision.discard(reason: "a"), CaseState.needsInput),
        (.refused(code: "a"), .discard(reason: "a"), .failed), (.failed(code: "a"), .retry(reason: "a"), .failed),
    ])
    func whatAStudyProblemDecides(problem: StudyProblem, decision: JobDecision, state: CaseState) {
        #expect(FailurePolicy.decision(problem) == decision)
        #expect(FailurePolicy.caseState(problem) == state)
    }

    @Test(
        arguments: [
            (ChildEnding.answered("{}"), nil), (.noAnswer, "child-answer"), (.garbled, "child-answer"),
            (.lineTooLong, "child-answer"), (.failed(status: 1), "child-failed"), (.killed(signal: 9), "child-killed"),
            (.stopped, "child-stopped"),
        ] as [(ChildEnding, String?)])
    func aChildThatDidNotAnswerIsTriedAgain(ending: ChildEnding, reason: String?) {
        #expect(FailurePolicy.decision(ending) == reason.map { JobDecision.retry(reason: $0) })
    }

    @Test(
        arguments: [
            (0xA700, true), (0xA701, true), (0xA7FF, true), (0xA900, false), (0xC000, false), (0x0111, false),
            (0x0122, false), (0x0110, false),
        ] as [(UInt16, Bool)])
    func onlyAFullArchiveIsAskedAgain(status: UInt16, isTransient: Bool) {
        #expect(FailurePolicy.isTransient(status: status) == isTransient)
    }

    @Test(arguments: [
        (NetworkError.connectFailed, true), (.connectDeadline, true),
        (.associationRejected(.temporaryCongestion), true),
        (.associationAborted, true), (.connectionClosed, true), (.deadlinePassed, true), (.protocolViolation, true),
        (.upperLayerFailed, true), (.noAcceptedContext, false),
    ])
    func aBrokenAssociationIsTriedAgain(error: NetworkError, isTransient: Bool) {
        #expect(FailurePolicy.isTransient(error) == isTransient)
    }

    /// What a request is answered with when its work fails.
    @Test(
        arguments: [
            (PostgresError.poolExhausted, 503, "database-unavailable"),
            (JobsError.database(.poolExhausted), 503, "database-unavailable"),
            (CaseActionError.database(.connectionLost(statement: "x")), 503, "database-unavailable"),
            (
                PostgresError.statementFailed(statement: "x", sqlState: .uniqueViolation, constraint: nil), 409,
                "conflict"
            ),
            (PostgresError.parameterHoldsNUL(statement: "x", parameter: 1), 400, "invalid-parameter"),
            (JobsError.unknownJob(JobID(rawValue: 1)), 404, "not-found"),
            (JobsError.notRetryable(.running), 409, "state-forbids"),
            (JobsError.alreadyEnded(.completed), 409, "already-ended"), (JobsError.keyContended, 409, "conflict"),
            (JobsError.invalidJSON, 500, "internal"), (CaseActionError.unknownCase, 404, "not-found"),
            (CaseActionError.stateForbids(.delivered), 409, "state-forbids"),
            (CaseActionError.resultGone, 409, "conflict"),
            (CaseAnswers.Refusal.unknownField("x"), 400, "invalid-body"),
            (CaseAnswers.Refusal.unusableValue("ct.whole"), 400, "invalid-body"),
            (HTTPError.cannotOpenFile(code: 2), 404, "not-found"), (HTTPError.disconnected, 500, "internal"),
            (Unknown(), 500, "internal"),
        ] as [(any Error, Int, String)])
    func aFailedRequestIsAProblem(error: any Error, status: Int, type: String) {
        let problem = FailurePolicy.problem(error)
        #expect(problem.status.code == status && problem.type == "/problems/\(type)")
        #expect((problem.fields["Retry-After"] != nil) == (status == 503))
    }
}
