import CDCMTK

/// An established association, used by one thread.
///
/// Frees the C side, and with it drops the connection, when it goes.
final class Association {
    private let handle: OpaquePointer
    /// Keeps the accepted socket open as long as the association.
    private let stream: PeerStream?

    struct Limits {
        var idle: Duration
        var pdu: Duration
        var write: Duration
        var pduLength: UInt32

        fileprivate var deadlines: cdcmtk_deadlines {
            cdcmtk_deadlines(idle: idle.milliseconds, pdu: pdu.milliseconds, write: write.milliseconds)
        }
    }

    /// Part of a message. `bytes` is valid until the next read.
    struct Fragment {
        let context: UInt8
        let isCommand: Bool
        let isLast: Bool
        let bytes: UnsafeRawBufferPointer
    }

    /// Who we are, in A-ASSOCIATE and in the files we write (PS3.7 annex D.3.3.2).
    static let implementationClass = UID(constant: "2.25.205769077852754698883047373889976578736")
    static let implementationVersion = "SCINTIVOL"

    /// Accepts an association whose request was read and judged.
    init(
        accepting request: [UInt8], on stream: PeerStream, contexts: [JudgedContext], limits: Limits
    ) throws(NetworkError) {
        var handle: OpaquePointer?
        var deadlines = limits.deadlines
        let outcome = CStrings.with(contexts.map { $0.transferSyntax?.description }) { syntaxes in
            let decisions = zip(contexts, syntaxes).map { context, syntax in
                cdcmtk_context_decision(
                    identifier: context.proposed.identifier, refusal: context.outcome.code,
                    requestor_provides: context.requestorProvides, transfer_syntax: syntax)
            }
            return Self.withIdentity(limits) { identity in
                cdcmtk_association_accept(
                    stream.handle, request, request.count, decisions, decisions.count, identity, &deadlines, &handle)
            }
        }
        try Self.check(outcome)
        guard let handle else { throw .upperLayerFailed }
        self.handle = handle
        self.stream = stream
    }

    /// Connects to a peer and requests an association.
    ///
    /// - Parameter contexts: gets each context's `isAccepted`.
    init(requesting contexts: inout [RequestedContext], of peer: StoragePeer, limits: Limits) throws(NetworkError) {
        var handle: OpaquePointer?
        var deadlines = limits.deadlines
        var rejection = cdcmtk_rejection()
        let security = peer.security?.current()
        let texts =
            [peer.host, peer.callingTitle, peer.calledTitle]
            + contexts.flatMap { [$0.abstractSyntax.description, $0.transferSyntax.description] }
        var accepted: [Bool] = []
        let outcome = CStrings.with(texts) { texts in
            var address = cdcmtk_peer(
                host: texts[0], port: peer.port, calling_title: texts[1], called_title: texts[2],
                connect_seconds: max(1, (peer.connectDeadline.milliseconds + 999) / 1000), tls: security?.handle)
            var proposals = contexts.enumerated().map { index, context in
                cdcmtk_context_proposal(
                    identifier: context.identifier, abstract_syntax: texts[3 + 2 * index],
                    transfer_syntax: texts[4 + 2 * index], is_provider: context.isProvided, accepted: false)
            }
            let outcome = Self.withIdentity(limits) { identity in
                cdcmtk_association_request(
                    &address, &proposals, proposals.count, identity, &deadlines, &rejection, &handle)
            }
            accepted = proposals.map(\.accepted)
            return outcome
        }
        if outcome == CDCMTK_NETWORK_REJECTED {
            throw .associationRejected(
                AssociationRejection(result: rejection.result, source: rejection.source, reason: rejection.reason))
        }
        // The session has a reference of its own from its beginning on.
        withExtendedLifetime(security) {}
        try Self.check(outcome)
        guard let handle else { throw .upperLayerFailed }
        self.handle = handle
        stream = nil
        for index in contexts.indices { contexts[index].isAccepted = accepted[index] }
    }

    deinit {
        cdcmtk_association_destroy(handle)
    }

    /// The next fragment, or nil when the peer asks for release.
    func read() throws(NetworkError) -> Fragment? {
        var fragment = cdcmtk_fragment()
        let outcome = cdcmtk_association_read(handle, &fragment)
        if outcome == CDCMTK_NETWORK_RELEASE_REQUESTED { return nil }
        try Self.check(outcome)
        return Fragment(
            context: fragment.context, isCommand: fragment.is_command, isLast: fragment.is_last,
            bytes: UnsafeRawBufferPointer(start: fragment.bytes, count: fragment.length))
    }

    /// Whether the peer says something within the time; when it does not, the association goes on.
    func awaitBytes(within limit: Duration) -> Bool { cdcmtk_association_await(handle, limit.milliseconds) }

    func write(
        _ bytes: UnsafeRawBufferPointer, context: UInt8, isCommand: Bool, isLast: Bool
    ) throws(NetworkError) {
        var fragment = cdcmtk_fragment(
            bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), length: bytes.count, context: context,
            is_command: isCommand, is_last: isLast)
        try Self.check(cdcmtk_association_write(handle, &fragment))
    }

    func acknowledgeRelease() throws(NetworkError) {
        try Self.check(cdcmtk_association_acknowledge_release(handle))
    }

    func release() throws(NetworkError) {
        try Self.check(cdcmtk_association_release(handle))
    }

    /// Sends A-ABORT on behalf of the service provider, which PS3.8 has speak when the peer breaks the protocol.
    func abort() {
        let serviceProvider: UInt8 = 2
        let reasonNotSpecified: UInt8 = 0
        cdcmtk_association_abort(handle, serviceProvider, reasonNotSpecified)
    }

    private static func withIdentity<Result>(
        _ limits: Limits, _ body: (UnsafePointer<cdcmtk_local_identity>) -> Result
    ) -> Result {
        implementationClass.description.withCString { classUID in
            implementationVersion.withCString { version in
                var identity = cdcmtk_local_identity(
                    pdu_length_limit: limits.pduLength, implementation_class_uid: classUID,
                    implementation_version: version)
                return body(&identity)
            }
        }
    }

    private static func check(_ outcome: cdcmtk_network_outcome) throws(NetworkError) {
        switch outcome {
        case CDCMTK_NETWORK_OK: return
        case CDCMTK_NETWORK_ABORTED: throw .associationAborted
        case CDCMTK_NETWORK_CLOSED: throw .connectionClosed
        case CDCMTK_NETWORK_DEADLINE: throw .deadlinePassed
        case CDCMTK_NETWORK_ILLEGAL_PDU, CDCMTK_NETWORK_RELEASE_REQUESTED: throw .protocolViolation
        case CDCMTK_NETWORK_CONNECT_FAILED: throw .connectFailed
        case CDCMTK_NETWORK_CONNECT_DEADLINE: throw .connectDeadline
        case CDCMTK_NETWORK_TLS_FAILED: throw .secureConnectionFailed
        default: throw .upperLayerFailed
        }
    }
}

/// C strings that live as long as a call.
enum CStrings {
    static func with<Result>(_ texts: [String?], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        var starts: [Int?] = []
        var storage: [CChar] = []
        for text in texts {
            starts.append(text == nil ? nil : storage.count)
            if let text { storage += Array(text.utf8CString) }
        }
        return storage.withUnsafeBufferPointer { buffer in
            body(starts.map { start in start.flatMap { start in buffer.baseAddress.map { $0 + start } } })
        }
    }
}
