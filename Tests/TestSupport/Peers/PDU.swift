/// PDUs as a peer makes them (PS3.8 section 9.3).
public enum PDU {
    public static let applicationContext = "1.2.840.10008.3.1.1.1"
    public static let verification = "1.2.840.10008.1.1"
    public static let nuclearMedicine = "1.2.840.10008.5.1.4.1.1.20"
    public static let implicit = "1.2.840.10008.1.2"

    public static func item(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, 0, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
    }

    public static func context(_ identifier: UInt8, _ abstractSyntax: String, _ transferSyntaxes: [String]) -> [UInt8] {
        item(
            0x20,
            [identifier, 0, 0, 0] + item(0x30, Array(abstractSyntax.utf8))
                + transferSyntaxes.flatMap { item(0x40, Array($0.utf8)) })
    }

    public static let userInformation = item(0x50, item(0x51, [0, 0, 0x40, 0]) + item(0x52, Array("1.2.3".utf8)))

    public static func title(_ text: String) -> [UInt8] {
        Array((text + String(repeating: " ", count: 16)).utf8.prefix(16))
    }

    public static func associationRequest(
        called: [UInt8] = title("ANY-SCP"), calling: [UInt8] = title("RAW"),
        contexts: [[UInt8]] = [context(1, verification, [implicit]), context(3, nuclearMedicine, [implicit])],
        user: [UInt8] = userInformation
    ) -> [UInt8] {
        let body =
            [0, 1, 0, 0] + called + calling + [UInt8](repeating: 0, count: 32)
            + item(0x10, Array(applicationContext.utf8)) + contexts.flatMap { $0 } + user
        return head(0x01, body.count) + body
    }

    public static func head(_ type: UInt8, _ length: Int) -> [UInt8] {
        [type, 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
    }

    public static func data(_ context: UInt8, isCommand: Bool, isLast: Bool, _ value: [UInt8]) -> [UInt8] {
        let control: UInt8 = (isCommand ? 1 : 0) | (isLast ? 2 : 0)
        let length = value.count + 2
        let prefix = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
        return head(0x04, length + 4) + prefix + [context, control] + value
    }

    public static func storeRequest(sopClass: String = nuclearMedicine, sopInstance: String) -> [UInt8] {
        let writer = ElementWriter(isImplicit: true)
        let body =
            writer.element(0, 0x0002, "UI", text: sopClass) + writer.element(0, 0x0100, "US", [1, 0])
            + writer.element(0, 0x0110, "US", [1, 0]) + writer.element(0, 0x0700, "US", [0, 0])
            + writer.element(0, 0x0800, "US", [1, 0]) + writer.element(0, 0x1000, "UI", text: sopInstance)
        return writer.element(0, 0, "UL", little(UInt32(body.count))) + body
    }

    public static let echoRequest: [UInt8] = {
        let writer = ElementWriter(isImplicit: true)
        let body =
            writer.element(0, 0x0002, "UI", text: verification) + writer.element(0, 0x0100, "US", [0x30, 0])
            + writer.element(0, 0x0110, "US", [1, 0]) + writer.element(0, 0x0800, "US", [1, 1])
        return writer.element(0, 0, "UL", little(UInt32(body.count))) + body
    }()

    /// Of a response with its command in the first value.
    ///
    /// - Source: DICOM PS3.7 annex E.1, Status (0000,0900).
    public static func status(_ answer: [UInt8]) -> UInt16? {
        let head: [UInt8] = [0x00, 0x00, 0x00, 0x09, 2, 0, 0, 0]
        guard let place = answer.indices.first(where: { answer[$0...].starts(with: head) }) else { return nil }
        return UInt16(answer[place + 8]) | UInt16(answer[place + 9]) << 8
    }

    public static let abort = head(0x07, 4) + [0, 0, 0, 0]
    public static let releaseRequest = head(0x05, 4) + [0, 0, 0, 0]
}
