/// One connection from its first byte to its last, on its own thread.
struct StorageConnection {
    let stream: PeerStream
    let peerAddress: String
    let configuration: ListenerConfiguration
    let registry: ConnectionRegistry
    let handler: any StorageHandler

    func run() {
        guard stream.shakeHands(within: configuration.requestDeadline) else {
            return registry.count { $0.refusedConnections += 1 }
        }
        let pdu: [UInt8]
        do {
            pdu = try stream.readAssociationRequest(within: configuration.requestDeadline)
        } catch {
            registry.count { $0.refusedConnections += 1 }
            if error == .protocolViolation { abort(reason: .unexpectedPDU) }
            return
        }
        do throws(AssociationRequestFault) {
            let fields = try AssociationRequestPDU(body: Array(pdu.dropFirst(AssociationRequestPDU.headLength)))
            let request = AssociationRequest(
                number: registry.nextAssociationNumber(), callingTitle: fields.callingTitle,
                calledTitle: fields.calledTitle, peerAddress: peerAddress, contexts: fields.contexts)
            judge(request, pdu: pdu)
        } catch {
            switch error {
            case .malformed:
                registry.count { $0.refusedConnections += 1 }
                abort(reason: .invalidParameter)
            case .unsupported(let rejection):
                reject(nil, rejection)
            }
        }
    }

    private func judge(_ request: AssociationRequest, pdu: [UInt8]) {
        if let rejection = rejection(of: request) { return reject(request, rejection) }
        guard registry.openAssociation(peer: peerAddress) else { return reject(request, .localLimitExceeded) }
        defer { registry.closeAssociation(peer: peerAddress) }
        if case .reject(let rejection) = handler.admit(request) { return reject(request, rejection) }

        var session = StorageSession(
            request: request, configuration: configuration, registry: registry, handler: handler)
        let reason = session.run(on: stream, pdu: pdu)
        let judged = request.contexts.map(configuration.contexts.judge)
        let accepted = Set(judged.filter { $0.transferSyntax != nil }.map(\.proposed.abstractSyntax))
        handler.ended(
            EndedAssociation(
                request: request, reason: reason, storedCount: session.storedCount,
                refusedCount: session.refusedCount,
                refusedClasses: judged.map(\.proposed.abstractSyntax).filter { !accepted.contains($0) },
                getsNothing: accepted.isEmpty))
    }

    private func rejection(of request: AssociationRequest) -> AssociationRejection? {
        if !configuration.calledTitles.isEmpty, !configuration.calledTitles.contains(request.calledTitle) {
            return .calledTitleNotRecognized
        }
        guard registry.access.admits(title: request.callingTitle, from: request.peerAddress) else {
            return .callingTitleNotRecognized
        }
        return nil
    }

    private func reject(_ request: AssociationRequest?, _ rejection: AssociationRejection) {
        registry.count { $0.rejectedAssociations += 1 }
        stream.write(rejection.encoded, within: configuration.writeDeadline)
        stream.awaitEnd(within: configuration.closeDeadline)
        // The peer has heard it by now; what a handler does with it may take a while.
        handler.rejected(request, from: peerAddress, rejection)
    }

    /// - Source: DICOM PS3.8 table 9-26, source 2 (service provider).
    private enum AbortReason: UInt8 {
        case unexpectedPDU = 2
        case invalidParameter = 6
    }

    private func abort(reason: AbortReason) {
        stream.write([0x07, 0, 0, 0, 0, 4, 0, 0, 2, reason.rawValue], within: configuration.writeDeadline)
        stream.awaitEnd(within: configuration.closeDeadline)
    }
}
