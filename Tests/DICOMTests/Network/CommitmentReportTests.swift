import DICOM
import TestSupport
import Testing

/// Reports of archives on what they keep, good ones and others.
@Suite struct CommitmentReportTests {
    private static let writer = ElementWriter(isImplicit: true)

    private static func reference(_ instance: String, reason: UInt16? = nil) -> [UInt8] {
        let failure = reason.map { writer.element(0x0008, 0x1197, "US", [UInt8($0 & 0xFF), UInt8($0 >> 8)]) } ?? []
        return writer.element(0x0008, 0x1150, "UI", text: PDU.nuclearMedicine)
            + writer.element(0x0008, 0x1155, "UI", text: instance) + failure
    }

    private static func item(_ content: [UInt8], isDefined: Bool) -> [UInt8] {
        let head: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0]
        let end: [UInt8] = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0]
        return isDefined
            ? head + little(UInt32(content.count)) + content : head + [UInt8](repeating: 0xFF, count: 4) + content + end
    }

    private static func sequence(_ element: UInt16, _ items: [[UInt8]], isDefined: Bool) -> [UInt8] {
        let content = items.flatMap { item($0, isDefined: isDefined) }
        let head = [0x08, 0x00, UInt8(element & 0xFF), UInt8(element >> 8)]
        let end: [UInt8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
        return isDefined
            ? head + little(UInt32(content.count)) + content : head + [UInt8](repeating: 0xFF, count: 4) + content + end
    }

    private static func report(isDefined: Bool, nested: [UInt8] = []) -> [UInt8] {
        writer.element(0x0008, 0x1195, "UI", text: "1.2.9")
            + sequence(0x1198, [reference("1.2.5", reason: 0x0112)], isDefined: isDefined)
            + sequence(0x1199, [reference("1.2.3") + nested, reference("1.2.4")], isDefined: isDefined)
    }

    @Test(arguments: [true, false]) func bothFormsOfSequencesAreRead(isDefined: Bool) throws {
        let report = try #require(CommitmentReport(decoding: Self.report(isDefined: isDefined)))
        #expect(report.transaction.description == "1.2.9")
        #expect(report.committed.map(\.description) == ["1.2.3", "1.2.4"])
        #expect(report.failed == [.init(instance: try #require(UID("1.2.5")), reason: 0x0112)])
    }

    /// What lies in a sequence of somebody's own inside an item is not an instance of the report.
    @Test func deeperSequencesAreNotMistaken() throws {
        let nested = Self.sequence(0x1140, [Self.reference("6.6.6")], isDefined: false)
        let report = try #require(CommitmentReport(decoding: Self.report(isDefined: false, nested: nested)))
        #expect(report.committed.map(\.description) == ["1.2.3", "1.2.4"])
    }

    @Test func whatIsCutShortIsNoReport() {
        let whole = Self.report(isDefined: true)
        for length in 1..<whole.count where CommitmentReport(decoding: Array(whole.prefix(length))) != nil {
            // Only the ends of the elements at the top are ends.
            let ends = [Self.report(isDefined: true).count]
            let first = Self.writer.element(0x0008, 0x1195, "UI", text: "1.2.9").count
            let second = first + Self.sequence(0x1198, [Self.reference("1.2.5", reason: 0x0112)], isDefined: true).count
            #expect((ends + [first, second]).contains(length))
        }
        let open = Self.report(isDefined: false)
        #expect(CommitmentReport(decoding: Array(open.dropLast(8))) == nil)
        #expect(CommitmentReport(decoding: []) == nil)
    }

    @Test func depthAndNumberAreBounded() {
        let head: [UInt8] = [0x08, 0x00, 0x99, 0x11, 0xFF, 0xFF, 0xFF, 0xFF]
        let deep = (0..<100_000).flatMap { _ in head }
        #expect(CommitmentReport(decoding: deep) == nil)
        let many = (0...CommitmentReport.instanceLimit).map { Self.reference("1.2.\($0)") }
        let bytes =
            Self.writer.element(0x0008, 0x1195, "UI", text: "1.2.9") + Self.sequence(0x1199, many, isDefined: true)
        #expect(CommitmentReport(decoding: bytes) == nil)
    }

    // MARK: - An archive that calls

    private static let commitment = "1.2.840.10008.1.20.1"

    private static func eventReport() -> [UInt8] {
        let body =
            writer.element(0, 0x0002, "UI", text: commitment) + writer.element(0, 0x0100, "US", [0x00, 0x01])
            + writer.element(0, 0x0110, "US", [7, 0]) + writer.element(0, 0x0800, "US", [1, 0])
            + writer.element(0, 0x1000, "UI", text: commitment + ".1") + writer.element(0, 0x1002, "US", [1, 0])
        return writer.element(0, 0, "UL", little(UInt32(body.count))) + body
    }

    private static func request(role: [UInt8]?) -> [UInt8] {
        let uid = Array(commitment.utf8)
        let selection = role.map { PDU.item(0x54, [0, UInt8(uid.count)] + uid + $0) } ?? []
        let user = PDU.item(0x50, PDU.item(0x51, [0, 0, 0x40, 0]) + PDU.item(0x52, Array("1.2.3".utf8)) + selection)
        return PDU.associationRequest(contexts: [PDU.context(1, commitment, [PDU.implicit])], user: user)
    }

    /// - Parameter role: whether it is user and provider, as it says.
    @Test(arguments: [[0, 1], [1, 1], nil] as [[UInt8]?]) func reportsComeInByAnAssociationOfTheArchive(
        role: [UInt8]?
    ) throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(Self.request(role: role))
        let accepted = try #require(client.readPDU())
        #expect(accepted.first == 0x02)
        if role != nil {
            let granted = [0, UInt8(Self.commitment.utf8.count)] + Array(Self.commitment.utf8) + [0, 1]
            #expect(accepted.indices.contains { accepted[$0...].starts(with: granted) })
        }
        client.write(PDU.data(1, isCommand: true, isLast: true, Self.eventReport()))
        client.write(PDU.data(1, isCommand: false, isLast: true, Self.report(isDefined: true)))
        let answer = try #require(client.readPDU())
        let success: [UInt8] = [0, 0, 0x00, 0x09, 2, 0, 0, 0, 0, 0]
        #expect(answer.indices.contains { answer[$0...].starts(with: success) })
        #expect(fixture.handler.seen.reports.map(\.transaction.description) == ["1.2.9"])
    }

    @Test func whatIsNoReportIsAnsweredSo() throws {
        let fixture = try ListenerFixture()
        let client = try #require(PeerSocket(port: fixture.port))
        client.write(Self.request(role: [0, 1]))
        #expect(client.readPDU()?.first == 0x02)
        client.write(PDU.data(1, isCommand: true, isLast: true, Self.eventReport()))
        client.write(PDU.data(1, isCommand: false, isLast: true, [1, 2, 3, 4, 5, 6, 7, 8]))
        let answer = try #require(client.readPDU())
        let invalidArgument: [UInt8] = [0, 0, 0x00, 0x09, 2, 0, 0, 0, 0x15, 0x01]
        #expect(answer.indices.contains { answer[$0...].starts(with: invalidArgument) })
        #expect(fixture.handler.seen.reports.isEmpty)
        #expect(try fixture.echo().status == 0)
    }
}
