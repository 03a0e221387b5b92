import CDCMTK

/// Asks an archive what it has and has it sent: a query and retrieve SCU of the Study Root model. Its calls block.
///
/// - Source: DICOM PS3.4 annex C.4.1 (C-FIND), C.4.2 (C-MOVE) and C.4.3 (C-GET).
public struct ArchiveQuery: Sendable {
    public let peer: StoragePeer
    /// More answers than this are not asked for one patient.
    public var answerLimit = 2000

    public init(peer: StoragePeer) { self.peer = peer }

    public enum Level: String, Sendable {
        case study = "STUDY"
        case series = "SERIES"
        case image = "IMAGE"
    }

    /// - Parameter question: keys with values that have to match, and empty ones whose values are wanted.
    /// - Throws: ``NetworkError``; ``NetworkError/refused(status:)`` when the archive does not answer the question,
    ///   ``NetworkError/tooManyAnswers``.
    public func find(_ level: Level, _ question: QueryIdentifier) throws(NetworkError) -> [QueryIdentifier] {
        var identifier = question
        identifier[.queryLevel] = level.rawValue
        var answers: [QueryIdentifier] = []
        try converse(.studyRootFind) { (association, context) throws(NetworkError) in
            let request = DIMSECommand(
                field: DIMSECommand.Field.findRequest, messageID: 1, sopClass: .studyRootFind, hasDataset: true)
            try association.write(request, dataset: identifier.encoded, context: context)
            while true {
                let (response, answer) = try Self.response(DIMSECommand.Field.findResponse, context, on: association)
                guard Self.isPending(response.status) else {
                    guard response.status == 0 else { throw .refused(status: response.status ?? 0) }
                    return
                }
                guard let answer else { throw .protocolViolation }
                guard answers.count < answerLimit else { throw .tooManyAnswers }
                answers.append(answer)
            }
        }
        return answers
    }

    /// Has the archive send what matches to an application that it knows by its title.
    ///
    /// - Returns: how many objects it says that it has sent and could not send.
    /// - Throws: ``NetworkError``; ``NetworkError/refused(status:)``, for example A801 when the archive does not know
    ///   the title.
    public func move(
        _ level: Level, _ selection: QueryIdentifier, to title: String
    ) throws(NetworkError) -> (sent: Int, failed: Int) {
        var identifier = selection
        identifier[.queryLevel] = level.rawValue
        var outcome = (sent: 0, failed: 0)
        try converse(.studyRootMove) { (association, context) throws(NetworkError) in
            var request = DIMSECommand(
                field: DIMSECommand.Field.moveRequest, messageID: 1, sopClass: .studyRootMove, hasDataset: true)
            request.moveDestination = title
            try association.write(request, dataset: identifier.encoded, context: context)
            while true {
                let (response, _) = try Self.response(DIMSECommand.Field.moveResponse, context, on: association)
                if Self.isPending(response.status) { continue }
                let counts = response.suboperations
                outcome = (Int(counts.completed ?? 0) + Int(counts.warning ?? 0), Int(counts.failed ?? 0))
                // B000: done, but not every object could be sent.
                guard response.status == 0 || response.status == 0xB000 else {
                    throw .refused(status: response.status ?? 0)
                }
                return
            }
        }
        return outcome
    }

    /// One association with one presentation context.
    func converse(
        _ sopClass: UID, _ body: (Association, UInt8) throws(NetworkError) -> Void
    ) throws(NetworkError) {
        cdcmtk_network_initialize()
        let identifier: UInt8 = 1
        var contexts = [
            RequestedContext(identifier: identifier, abstractSyntax: sopClass, transferSyntax: .implicitLittleEndian)
        ]
        let association = try Association(requesting: &contexts, of: peer, limits: peer.limits)
        do throws(NetworkError) {
            guard contexts[0].isAccepted else {
                try association.release()
                throw .noAcceptedContext
            }
            try body(association, identifier)
            try association.release()
        } catch {
            switch error {
            case .noAcceptedContext: break
            case .refused: try? association.release()
            default: association.abort()
            }
            throw error
        }
    }

    static func response(
        _ field: UInt16, _ context: UInt8, on association: Association
    ) throws(NetworkError) -> (DIMSECommand, QueryIdentifier?) {
        guard let answer = try association.readCommand(), answer.context == context, answer.command.field == field,
            answer.command.messageID == 1
        else { throw .protocolViolation }
        guard answer.command.hasDataset else { return (answer.command, nil) }
        var bytes: [UInt8] = []
        let deadline = ContinuousClock.now + .seconds(60)
        try association.readDataset(context: context, byteLimit: QueryIdentifier.lengthLimit, before: deadline) {
            bytes += $0
        }
        do { return (answer.command, try QueryIdentifier(decoding: bytes)) } catch { throw .protocolViolation }
    }

    /// FF00: more follows; FF01: the same, and some optional keys were not looked at.
    static func isPending(_ status: UInt16?) -> Bool { status == 0xFF00 || status == 0xFF01 }
}
