/// Asks an archive to commit itself to keep objects: a storage commitment SCU. Its calls block.
///
/// - Source: DICOM PS3.4 annex J.3, Storage Commitment Push Model.
public struct StorageCommitment: Sendable {
    public let peer: StoragePeer
    /// An archive may report on the association that it was asked on; for longer it is not held open, and the report
    /// comes on an association of the archive's own.
    public var reportWait = Duration.seconds(2)

    public struct Instance: Equatable, Sendable {
        public let sopClass, sopInstance: UID

        public init(sopClass: UID, sopInstance: UID) { (self.sopClass, self.sopInstance) = (sopClass, sopInstance) }
    }

    public init(peer: StoragePeer) { self.peer = peer }

    /// - Parameter transaction: names the request; the report will name it again.
    /// - Returns: the report, when it came at once.
    /// - Throws: ``NetworkError``; ``NetworkError/refused(status:)`` when the archive does not take the request.
    public func request(
        _ instances: [Instance], transaction: UID
    ) throws(NetworkError) -> CommitmentReport? {
        precondition(instances.count <= CommitmentReport.instanceLimit, "a transaction has a limit")
        var report: CommitmentReport?
        let query = ArchiveQuery(peer: peer)
        try query.converse(.storageCommitment) { (association, context) throws(NetworkError) in
            var request = DIMSECommand(
                field: DIMSECommand.Field.actionRequest, messageID: 1, sopClass: .storageCommitment,
                sopInstance: .storageCommitmentInstance, hasDataset: true)
            (request.namesRequested, request.actionType) = (true, 1)
            try association.write(request, dataset: Self.encoded(instances, transaction), context: context)
            guard let answer = try association.readCommand(), answer.context == context,
                answer.command.field == DIMSECommand.Field.actionResponse, answer.command.messageID == 1
            else { throw .protocolViolation }
            if answer.command.hasDataset {
                _ = try association.readCommitment(context: context, before: .now + .seconds(60))
            }
            guard answer.command.status == 0 else { throw .refused(status: answer.command.status ?? 0) }
            report = try awaitReport(on: association, context)
        }
        return report
    }

    private func awaitReport(
        on association: Association, _ context: UInt8
    ) throws(NetworkError) -> CommitmentReport? {
        guard association.awaitBytes(within: reportWait) else { return nil }
        guard let event = try association.readCommand(), event.context == context, event.command.hasDataset,
            event.command.field == DIMSECommand.Field.eventReportRequest
        else { throw .protocolViolation }
        let bytes = try association.readCommitment(context: context, before: .now + .seconds(60))
        let report = CommitmentReport(decoding: bytes)
        let response = DIMSECommand(
            field: event.command.field | DIMSECommand.Field.response, messageID: event.command.messageID,
            sopClass: event.command.sopClass, sopInstance: event.command.sopInstance, hasDataset: false,
            status: report == nil ? 0x0115 : 0)
        try association.write(response, context: context)
        return report
    }

    /// - Source: DICOM PS3.4 table J.3-1; implicit little endian.
    private static func encoded(_ instances: [Instance], _ transaction: UID) -> [UInt8] {
        let items = instances.flatMap { instance in
            element(
                0xFFFE_E000,
                element(0x0008_1150, padded(instance.sopClass)) + element(0x0008_1155, padded(instance.sopInstance)))
        }
        return element(0x0008_1195, padded(transaction)) + element(0x0008_1199, items)
    }

    private static func padded(_ uid: UID) -> [UInt8] {
        let bytes = Array(uid.description.utf8)
        return bytes.count % 2 == 0 ? bytes : bytes + [0]
    }

    private static func element(_ tag: UInt32, _ value: [UInt8]) -> [UInt8] {
        let halves = [tag >> 16, tag & 0xFFFF].flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        return halves + (0..<4).map { UInt8(truncatingIfNeeded: UInt32(value.count) >> (8 * $0)) } + value
    }
}
