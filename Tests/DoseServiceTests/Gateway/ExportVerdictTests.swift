import DICOM
import DoseService
import Testing

/// What becomes of an object after an attempt to send it.
@Suite struct ExportVerdictTests {
    private static let last = ExportOutbox.attemptLimit

    @Test(arguments: [0x0000, 0xB000, 0xB006, 0xB007] as [UInt16])
    func successAndWarningsAreStored(status: UInt16) {
        let verdict = ExportOutbox.verdict(.answered(StoreResponse(status: status)), attempt: 1)
        #expect(verdict == .stored(status: Int(status)))
    }

    @Test(arguments: [0xA900, 0xC000, 0x0122, 0x0111] as [UInt16])
    func whatNoRetryMendsIsRefusedAtOnce(status: UInt16) {
        let verdict = ExportOutbox.verdict(.answered(StoreResponse(status: status)), attempt: 1)
        #expect(verdict == .refused(status: Int(status), reason: "status"))
    }

    @Test func waitsDouble() {
        for attempt in 1..<Self.last {
            let wait = ExportOutbox.firstWaitSeconds * Double(1 << (attempt - 1))
            let full = ExportOutbox.verdict(.answered(StoreResponse(status: 0xA700)), attempt: attempt)
            #expect(full == .again(afterSeconds: wait, status: 0xA700, reason: "status"))
            let silent = ExportOutbox.verdict(.notSent(.connectFailed), attempt: attempt)
            #expect(silent == .again(afterSeconds: wait, status: nil, reason: "not-sent"))
        }
    }

    @Test func theLastAttemptIsTheLast() {
        let full = ExportOutbox.verdict(.answered(StoreResponse(status: 0xA700)), attempt: Self.last)
        #expect(full == .refused(status: 0xA700, reason: "status"))
        let silent = ExportOutbox.verdict(.notSent(.connectFailed), attempt: Self.last)
        #expect(silent == .refused(status: nil, reason: "attempts-spent"))
        let stored = ExportOutbox.verdict(.answered(StoreResponse(status: 0)), attempt: Self.last)
        #expect(stored == .stored(status: 0))
    }

    @Test(arguments: [1, ExportOutbox.attemptLimit])
    func anArchiveThatDoesNotTakeTheClassIsNotAskedAgain(attempt: Int) {
        let verdict = ExportOutbox.verdict(.notSent(.noAcceptedContext), attempt: attempt)
        #expect(verdict == .refused(status: nil, reason: "no-accepted-context"))
    }

    @Test func aFileThatIsNotThereIsRefused() {
        let verdict = ExportOutbox.verdict(.unreadable(.cannotRead(code: 2)), attempt: 1)
        #expect(verdict == .refused(status: nil, reason: "file-unreadable"))
    }
}
