import CDCMTK

extension ArchiveQuery {
    /// Has the archive send what matches on the very association that asks for it, for networks in which it cannot call.
    ///
    /// - Parameters:
    ///   - handler: takes the objects as if they had come over an association that the archive has opened.
    ///   - number: names this association to the handler; no other association of the handler may have it.
    ///   - classes: what is taken, in which transfer syntaxes.
    /// - Returns: how many objects were kept, and how many could not be sent or were not kept.
    /// - Throws: ``NetworkError``; ``NetworkError/noAcceptedContext`` when the archive does not do this.
    /// - Source: DICOM PS3.4 annex C.4.3; PS3.7 annex D.3.3.4, SCP/SCU Role Selection.
    public func get(
        _ level: Level, _ selection: QueryIdentifier, into handler: any StorageHandler, number: Int,
        classes: PresentationContextPolicy = PresentationContextPolicy()
    ) throws(NetworkError) -> (sent: Int, failed: Int) {
        cdcmtk_network_initialize()
        var identifier = selection
        identifier[.queryLevel] = level.rawValue
        var contexts = Self.contexts(of: classes)
        let association = try Association(requesting: &contexts, of: peer, limits: peer.limits)
        let accepted = contexts.filter(\.isAccepted)
        guard let question = accepted.first, question.abstractSyntax == .studyRootGet, accepted.count > 1 else {
            try association.release()
            throw .noAcceptedContext
        }
        let judged = accepted.dropFirst().map { context in
            JudgedContext(
                proposed: ProposedContext(
                    identifier: context.identifier, abstractSyntax: context.abstractSyntax,
                    transferSyntaxes: [context.transferSyntax]),
                outcome: .accepted(transferSyntax: context.transferSyntax))
        }
        let request = AssociationRequest(
            number: number, callingTitle: peer.calledTitle, calledTitle: peer.callingTitle, peerAddress: peer.host,
            contexts: judged.map(\.proposed))
        let configuration = ListenerConfiguration()
        var session = StorageSession(
            request: request, configuration: configuration, registry: ConnectionRegistry(configuration: configuration),
            handler: handler)
        var end = AssociationEnd.failed
        defer {
            handler.ended(
                EndedAssociation(
                    request: request, reason: end, storedCount: session.storedCount, refusedCount: session.refusedCount,
                    refusedClasses: [], getsNothing: false))
        }
        let failed = try converse(identifier, question.identifier, judged, &session, on: association)
        end = .released
        return (session.storedCount, failed)
    }

    /// - Returns: how many objects the archive says that it could not send.
    private func converse(
        _ identifier: QueryIdentifier, _ question: UInt8, _ contexts: [JudgedContext],
        _ session: inout StorageSession, on association: Association
    ) throws(NetworkError) -> Int {
        do throws(NetworkError) {
            let command = DIMSECommand(
                field: DIMSECommand.Field.getRequest, messageID: 1, sopClass: .studyRootGet, hasDataset: true)
            try association.write(command, dataset: identifier.encoded, context: question)
            while let incoming = try association.readCommand() {
                guard incoming.context == question else {
                    try session.serve(incoming, contexts: contexts, on: association)
                    continue
                }
                guard let failed = try finalCount(incoming, on: association) else { continue }
                try association.release()
                return failed
            }
            throw .protocolViolation
        } catch {
            switch error {
            case .refused: try? association.release()
            default: association.abort()
            }
            throw error
        }
    }

    /// - Returns: nil while more follows.
    private func finalCount(_ answer: IncomingCommand, on association: Association) throws(NetworkError) -> Int? {
        let command = answer.command
        guard command.field == DIMSECommand.Field.getResponse, command.messageID == 1 else { throw .protocolViolation }
        if command.hasDataset {
            // A list of what could not be sent.
            try association.readDataset(
                context: answer.context, byteLimit: CommitmentReport.lengthLimit, before: .now + .seconds(60)
            ) { _ in }
        }
        if Self.isPending(command.status) { return nil }
        // B000: done, but not every object could be sent.
        guard command.status == 0 || command.status == 0xB000 else { throw .refused(status: command.status ?? 0) }
        return Int(command.suboperations.failed ?? 0)
    }

    /// The question first, then every class in every transfer syntax by itself, because an archive takes one of each.
    private static func contexts(of policy: PresentationContextPolicy) -> [RequestedContext] {
        var contexts = [
            RequestedContext(identifier: 1, abstractSyntax: .studyRootGet, transferSyntax: .implicitLittleEndian)
        ]
        for sopClass in policy.storageClasses.sorted(by: { $0.description < $1.description }) {
            let compressed = UID.imageClasses.contains(sopClass) ? policy.compressedSyntaxes : []
            for syntax in policy.transferSyntaxes + compressed
            where contexts.count < AssociationRequestPDU.contextLimit {
                contexts.append(
                    RequestedContext(
                        identifier: UInt8(2 * contexts.count + 1), abstractSyntax: sopClass, transferSyntax: syntax,
                        isProvided: true))
            }
        }
        return contexts
    }
}
