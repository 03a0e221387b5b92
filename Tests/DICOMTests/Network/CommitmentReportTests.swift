import DICOM
import TestSupport
import Testing

/// Reports of archives on what they keep, good ones and others.
@Suite struct CommitmentReportTests {
    private static func report(isDefined: Bool, nested: [UInt8] = []) -> [UInt8] {
        CommitmentPDU.transaction("1.2.9")
            + CommitmentPDU.sequence(0x1198, [failure], isDefined: isDefined)
            + CommitmentPDU.sequence(
                0x1199, [CommitmentPDU.reference("1.2.3") + nested, CommitmentPDU.reference("1.2.4")],
                isDefined: isDefined)
    }

    private static let failure = CommitmentPDU.reference("1.2.5", reason: 0x0112)

    @Test(arguments: [true, false]) func bothFormsOfSequencesAreRead(isDefined: Bool) throws {
        let report = try #require(CommitmentReport(decoding: Self.report(isDefined: isDefined)))
        #expect(report.transaction.description == "1.2.9")
        #expect(report.committed.map(\.description) == ["1.2.3", "1.2.4"])
        #expect(report.failed == [.init(instance: try #require(UID("1.2.5")), reason: 0x0112)])
    }

    /// What lies in a sequence of somebody's own inside an item is not an instance of the report.
    @Test func deeperSequencesAreNotMistaken() throws {
        let nested = CommitmentPDU.sequence(0x1140, [CommitmentPDU.reference("6.6.6")], isDefined: false)
        let report = try #require(CommitmentReport(decoding: Self.report(isDefined: false, nested: nested)))
        #expect(report.committed.map(\.description) == ["1.2.3", "1.2.4"])
    }

    @Test func whatIsCutShortIsNoReport() {
        let whole = Self.report(isDefined: true)
        for length in 1..<whole.count where CommitmentReport(decoding: Array(whole.prefix(length))) != nil {
            // Only the ends of the elements at the top are ends.
            let first = CommitmentPDU.transaction("1.2.9").count
            #expect([first, first + CommitmentPDU.sequence(0x1198, [Self.failure]).count].contains(length))
        }
        let open = Self.report(isDefined: false)
        #expect(CommitmentReport(decoding: Array(open.dropLast(8))) == nil)
        #expect(CommitmentReport(decoding: []) == nil)
    }

    @Test func depthAndNumberAreBounded() {
        func nested(_ depth: Int) -> [UInt8] {
            let head: [UInt8] = [0x08, 0x00, 0x99, 0x11, 0xFF, 0xFF, 0xFF, 0xFF]
            return CommitmentPDU.transaction("1.2.9") + [UInt8](repeatElement(head, count: depth).joined())
                + [UInt8](repeatElement(Item.sequenceEnd, count: depth).joined())
        }
        #expect(CommitmentReport(decoding: nested(8)) != nil)
        #expect(CommitmentReport(decoding: nested(9)) == nil)
        #expect(CommitmentReport(decoding: nested(100_000)) == nil)
        let many = (0...CommitmentReport.instanceLimit).map { "1.2.\($0)" }
        #expect(CommitmentReport(decoding: CommitmentPDU.report("1.2.9", committed: many)) == nil)
        #expect(CommitmentReport(decoding: CommitmentPDU.report("1.2.9", committed: many.dropLast())) != nil)
    }

    // MARK: - An archive that calls

    /// - Parameter role: whether it is user and provider, as it says.
    @Test(arguments: [[0, 1], [1, 1], nil] as [[UInt8]?]) func reportsComeInByAnAssociationOfTheArchive(
        role: [UInt8]?
    ) throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(CommitmentPDU.request(role: role))
        let accepted = try #require(client.readPDU())
        #expect(accepted.first == 0x02)
        if role != nil {
            let uid = Array(CommitmentPDU.sopClass.utf8)
            let granted = [0, UInt8(uid.count)] + uid + [0, 1]
            #expect(accepted.indices.contains { accepted[$0...].starts(with: granted) })
        }
        client.write(PDU.data(1, isCommand: true, isLast: true, CommitmentPDU.eventReport))
        client.write(PDU.data(1, isCommand: false, isLast: true, Self.report(isDefined: true)))
        let answer = try #require(client.readPDU())
        let success: [UInt8] = [0, 0, 0x00, 0x09, 2, 0, 0, 0, 0, 0]
        #expect(answer.indices.contains { answer[$0...].starts(with: success) })
        #expect(fixture.handler.seen.reports.map(\.transaction.description) == ["1.2.9"])
    }

    @Test func whatIsNoReportIsAnsweredSo() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        let answer = try #require(CommitmentPDU.exchange([1, 2, 3, 4, 5, 6, 7, 8], over: client))
        let invalidArgument: [UInt8] = [0, 0, 0x00, 0x09, 2, 0, 0, 0, 0x15, 0x01]
        #expect(answer.indices.contains { answer[$0...].starts(with: invalidArgument) })
        #expect(fixture.handler.seen.reports.isEmpty)
        #expect(try fixture.echo().status == 0)
    }
}
