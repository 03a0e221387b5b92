/// What an archive says when it reports on what it keeps (PS3.4 annex J.3.3), in implicit little endian.
public enum CommitmentPDU {
    public static let sopClass = "1.2.840.10008.1.20.1"
    private static let writer = ElementWriter(isImplicit: true)

    public static func reference(_ instance: String, reason: UInt16? = nil) -> [UInt8] {
        let failure = reason.map { writer.element(0x0008, 0x1197, "US", little($0)) } ?? []
        return writer.element(0x0008, 0x1150, "UI", text: PDU.nuclearMedicine)
            + writer.element(0x0008, 0x1155, "UI", text: instance) + failure
    }

    /// - Parameter isDefined: whether sequence and items say how long they are.
    public static func sequence(_ element: UInt16, _ items: [[UInt8]], isDefined: Bool = true) -> [UInt8] {
        let content = items.flatMap { item in
            isDefined ? Item.head(UInt32(item.count)) + item : Item.undefined + item + Item.end
        }
        let length = isDefined ? UInt32(content.count) : ElementWriter.undefinedLength
        return writer.head(0x0008, element, "SQ", length) + content + (isDefined ? [] : Item.sequenceEnd)
    }

    public static func transaction(_ uid: String) -> [UInt8] { writer.element(0x0008, 0x1195, "UI", text: uid) }

    /// - Parameter failed: instances that are not kept, because there are none such.
    public static func report(_ transactionUID: String, failed: [String] = [], committed: [String] = []) -> [UInt8] {
        let failures = failed.isEmpty ? [] : sequence(0x1198, failed.map { reference($0, reason: 0x0112) })
        return transaction(transactionUID) + failures
            + (committed.isEmpty ? [] : sequence(0x1199, committed.map { reference($0) }))
    }

    /// The command that goes before a report.
    public static let eventReport: [UInt8] = {
        let body =
            writer.element(0, 0x0002, "UI", text: sopClass) + writer.element(0, 0x0100, "US", [0x00, 0x01])
            + writer.element(0, 0x0110, "US", [7, 0]) + writer.element(0, 0x0800, "US", [1, 0])
            + writer.element(0, 0x1000, "UI", text: sopClass + ".1") + writer.element(0, 0x1002, "US", [1, 0])
        return writer.element(0, 0, "UL", little(UInt32(body.count))) + body
    }()

    /// - Parameter role: whether the archive is user and provider of the class, when it says so.
    public static func request(called: String = "ANY-SCP", role: [UInt8]? = [0, 1]) -> [UInt8] {
        let uid = Array(sopClass.utf8)
        let selection = role.map { PDU.item(0x54, [0, UInt8(uid.count)] + uid + $0) } ?? []
        let user = PDU.item(0x50, PDU.item(0x51, [0, 0, 0x40, 0]) + PDU.item(0x52, Array("1.2.3".utf8)) + selection)
        return PDU.associationRequest(
            called: PDU.title(called), contexts: [PDU.context(1, sopClass, [PDU.implicit])], user: user)
    }

    /// Reports over an association of its own, and reads the answer; nil when there is none.
    public static func exchange(_ report: [UInt8], over client: PeerSocket, called: String = "ANY-SCP") -> [UInt8]? {
        client.write(request(called: called))
        guard client.readPDU()?.first == 0x02 else { return nil }
        client.write(PDU.data(1, isCommand: true, isLast: true, eventReport))
        client.write(PDU.data(1, isCommand: false, isLast: true, report))
        return client.readPDU()
    }
}
