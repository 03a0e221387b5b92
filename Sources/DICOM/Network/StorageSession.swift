/// The commands of one accepted association.
///
/// - Source: DICOM PS3.7 sections 9.3.1 (C-STORE) and 9.3.5 (C-ECHO).
struct StorageSession {
    let request: AssociationRequest
    let configuration: ListenerConfiguration
    let registry: ConnectionRegistry
    let handler: any StorageHandler

    private(set) var storedCount = 0
    private(set) var refusedCount = 0
    /// Taken with the first object: most associations of a day are C-ECHO.
    private lazy var buffer = GatheringBuffer()

    init(
        request: AssociationRequest, configuration: ListenerConfiguration, registry: ConnectionRegistry,
        handler: any StorageHandler
    ) {
        self.request = request
        self.configuration = configuration
        self.registry = registry
        self.handler = handler
    }

    /// Negotiates and serves until either side ends it.
    mutating func run(on stream: PeerStream, pdu: [UInt8]) -> AssociationEnd {
        let contexts = request.contexts.map(configuration.contexts.judge)
        let association: Association
        do {
            association = try Association(
                accepting: pdu, on: stream, contexts: contexts, limits: configuration.associationLimits)
        } catch {
            registry.count { $0.refusedConnections += 1 }
            return end(after: error)
        }
        registry.count { $0.acceptedAssociations += 1 }
        do {
            while let incoming = try association.readCommand() {
                try serve(incoming, contexts: contexts, on: association)
            }
            try association.acknowledgeRelease()
            stream.awaitEnd(within: configuration.closeDeadline)
            return .released
        } catch {
            if error == .protocolViolation || error == .deadlinePassed {
                association.abort()
                stream.awaitEnd(within: configuration.closeDeadline)
            }
            return end(after: error)
        }
    }

    /// - Throws: ``NetworkError/protocolViolation`` for a command that nobody may send here.
    mutating func serve(
        _ incoming: IncomingCommand, contexts: [JudgedContext], on association: Association
    ) throws(NetworkError) {
        guard let context = contexts.first(where: { $0.proposed.identifier == incoming.context }),
            let transferSyntax = context.transferSyntax
        else { throw .protocolViolation }
        switch incoming.command.field {
        case DIMSECommand.Field.echoRequest where !incoming.command.hasDataset:
            registry.count { $0.echoes += 1 }
            try respond(to: incoming, with: .success, on: association)
        case DIMSECommand.Field.storeRequest where incoming.command.hasDataset:
            let status = try store(incoming, in: context, transferSyntax: transferSyntax, on: association)
            if status == .success {
                storedCount += 1
                registry.count { $0.storedObjects += 1 }
            } else {
                refusedCount += 1
                registry.count { $0.refusedObjects += 1 }
            }
            registry.count { $0.storeResponses[status.code, default: 0] += 1 }
            try respond(to: incoming, with: status, on: association)
        case DIMSECommand.Field.eventReportRequest where incoming.command.hasDataset:
            try respond(to: incoming, with: try report(incoming, in: context, on: association), on: association)
        default:
            throw .protocolViolation
        }
    }

    /// - Source: DICOM PS3.4 annex J.3.3, Event Notification.
    private func report(
        _ incoming: IncomingCommand, in context: JudgedContext, on association: Association
    ) throws(NetworkError) -> StoreStatus {
        guard context.proposed.abstractSyntax == .storageCommitment else { throw .protocolViolation }
        let bytes = try association.readCommitment(
            context: incoming.context, before: ContinuousClock.now + configuration.objectDeadline)
        guard let report = CommitmentReport(decoding: bytes) else {
            return .refused(code: 0x0115, comment: "not a report")
        }
        return handler.committed(report, from: request)
    }

    private mutating func store(
        _ incoming: IncomingCommand, in context: JudgedContext, transferSyntax: UID, on association: Association
    ) throws(NetworkError) -> StoreStatus {
        let deadline = ContinuousClock.now + configuration.objectDeadline
        guard incoming.command.sopClass == context.proposed.abstractSyntax,
            ![.verification, .storageCommitment].contains(context.proposed.abstractSyntax),
            let sopClass = incoming.command.sopClass
        else { return try refuse(.sopClassNotSupported, incoming, on: association, before: deadline) }
        guard let sopInstance = incoming.command.sopInstance else {
            return try refuse(.invalidObjectInstance, incoming, on: association, before: deadline)
        }
        let object = IncomingObject(
            associationNumber: request.number, callingTitle: request.callingTitle, calledTitle: request.calledTitle,
            peerAddress: request.peerAddress, sopClass: sopClass, sopInstance: sopInstance,
            transferSyntax: transferSyntax)
        switch handler.temporaryFile(for: object) {
        case .refuse(let status):
            return try refuse(status, incoming, on: association, before: deadline)
        case .receive(let path):
            return try receive(object, at: path, incoming, on: association, before: deadline)
        }
    }

    private mutating func receive(
        _ object: IncomingObject, at path: String, _ incoming: IncomingCommand, on association: Association,
        before deadline: ContinuousClock.Instant
    ) throws(NetworkError) -> StoreStatus {
        guard var file = IncomingFile(creating: path, buffer: buffer) else {
            return try refuse(.noTemporaryFile, incoming, on: association, before: deadline)
        }
        FileMetaInformation(of: object).encoded.withUnsafeBytes { file.write($0) }
        let metaByteCount = file.byteCount
        do {
            try association.readDataset(
                context: incoming.context, byteLimit: configuration.objectByteLimit, before: deadline
            ) { file.write($0) }
        } catch {
            file.discard()
            registry.count { $0.interruptedObjects += 1 }
            throw error
        }
        registry.count { $0.receivedBytes += file.byteCount - metaByteCount }
        let byteCount = file.byteCount
        guard file.close() else {
            file.discard()
            return .noRoom
        }
        let status = handler.received(
            ReceivedFile(path: path, object: object, byteCount: byteCount, beginning: file.beginning))
        if status != .success { file.discard() }
        return status
    }

    /// Reads the dataset away, because a response may only follow a whole request.
    private func refuse(
        _ status: StoreStatus, _ incoming: IncomingCommand, on association: Association,
        before deadline: ContinuousClock.Instant
    ) throws(NetworkError) -> StoreStatus {
        var byteCount = 0
        try association.readDataset(
            context: incoming.context, byteLimit: configuration.objectByteLimit, before: deadline
        ) { byteCount += $0.count }
        registry.count { $0.receivedBytes += byteCount }
        return status
    }

    private func respond(
        to incoming: IncomingCommand, with status: StoreStatus, on association: Association
    ) throws(NetworkError) {
        let response = DIMSECommand(
            field: incoming.command.field | DIMSECommand.Field.response, messageID: incoming.command.messageID,
            sopClass: incoming.command.sopClass, sopInstance: incoming.command.sopInstance, hasDataset: false,
            status: status.code, errorComment: Array(status.comment.utf8.filter { (0x20...0x7E).contains($0) }))
        try association.write(response, context: incoming.context)
    }

    private func end(after error: NetworkError) -> AssociationEnd {
        if registry.isStopping { return .stopped }
        return switch error {
        case .associationAborted: .aborted
        case .connectionClosed: .connectionClosed
        case .deadlinePassed: .deadlinePassed
        case .protocolViolation: .protocolViolation
        default: .failed
        }
    }
}

/// - Source: DICOM PS3.7 annex C.
extension StoreStatus {
    public static let sopClassNotSupported = StoreStatus.refused(code: 0x0122, comment: "SOP class not supported")
    public static let invalidObjectInstance = StoreStatus.refused(code: 0x0117, comment: "SOP instance UID")
    fileprivate static let noTemporaryFile = StoreStatus.outOfResources(comment: "no temporary file")
    fileprivate static let noRoom = StoreStatus.outOfResources(comment: "file not written")
}
