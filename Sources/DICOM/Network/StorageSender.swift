import CDCMTK
import Glibc

/// A storage and verification SCU: one association for several files, sent byte for byte. Its calls block.
public struct StorageSender: Sendable {
    public let peer: StoragePeer
    private let scanner: ObjectScanner

    /// - Parameter scanner: judges each file before it is sent.
    public init(peer: StoragePeer, scanner: ObjectScanner = ObjectScanner()) {
        self.peer = peer
        self.scanner = scanner
    }

    /// Asks the peer whether it is there (C-ECHO).
    ///
    /// - Throws: ``NetworkError``; ``NetworkError/noAcceptedContext`` when the peer does not do verification.
    public func echo() throws(NetworkError) {
        cdcmtk_network_initialize()
        let identifier: UInt8 = 1
        var contexts = [
            RequestedContext(
                identifier: identifier, abstractSyntax: .verification, transferSyntax: .implicitLittleEndian)
        ]
        let association = try Association(requesting: &contexts, of: peer, limits: peer.limits)
        do throws(NetworkError) {
            guard contexts[0].isAccepted else {
                try association.release()
                throw .noAcceptedContext
            }
            let request = DIMSECommand(
                field: DIMSECommand.Field.echoRequest, messageID: 1, sopClass: .verification, hasDataset: false)
            try association.write(request, context: identifier)
            _ = try Self.response(
                to: request, DIMSECommand.Field.echoResponse, context: identifier, on: association)
            try association.release()
        } catch {
            Self.abandon(association, after: error)
            throw error
        }
    }

    /// Sends every file that can be sent, in order.
    ///
    /// - Returns: one outcome per file, in their order. When the association breaks, the files that were not answered
    ///   say so and the others keep their answers.
    /// - Throws: ``NetworkError`` when no association was established at all.
    public func send(_ paths: [String]) throws(NetworkError) -> [SendOutcome] {
        cdcmtk_network_initialize()
        let objects = paths.map { path in Result { () throws(ScanError) in try scanner.scan(path: path) } }
        var outcomes = objects.map { object -> SendOutcome in
            switch object {
            case .success: .notSent(.noAcceptedContext)
            case .failure(let error): .unreadable(error)
            }
        }
        // What could not be scanned has its outcome already.
        var contexts = Self.contexts(for: objects.compactMap { try? $0.get() })
        guard !contexts.isEmpty else { return outcomes }
        let association = try Association(requesting: &contexts, of: peer, limits: peer.limits)

        var waiting: [(index: Int, object: ScannedObject, context: UInt8)] = []
        for (index, object) in objects.enumerated() {
            guard case .success(let object) = object,
                let context = contexts.first(where: { $0.isAccepted && $0.carries(object) })
            else { continue }
            waiting.append((index, object, context.identifier))
        }
        do throws(NetworkError) {
            while let (index, object, context) = waiting.first {
                outcomes[index] = try send(
                    paths[index], object, messageID: UInt16(truncatingIfNeeded: index + 1), context: context,
                    on: association)
                waiting.removeFirst()
            }
            try association.release()
        } catch {
            Self.abandon(association, after: error)
            for (index, _, _) in waiting { outcomes[index] = .notSent(error) }
        }
        return outcomes
    }

    private func send(
        _ path: String, _ object: ScannedObject, messageID: UInt16, context: UInt8, on association: Association
    ) throws(NetworkError) -> SendOutcome {
        guard var file = OutgoingFile(path: path, from: object.datasetOffset, byteCount: object.byteCount) else {
            return .unreadable(.cannotRead(code: errno))
        }
        let request = DIMSECommand(
            field: DIMSECommand.Field.storeRequest, messageID: messageID, sopClass: object.sopClass,
            sopInstance: object.sopInstance, hasDataset: true)
        try association.write(request, context: context)
        try file.write(to: association, context: context)
        let response = try Self.response(
            to: request, DIMSECommand.Field.storeResponse, context: context, on: association)
        return .answered(
            StoreResponse(
                status: response.status ?? 0, comment: String(decoding: response.errorComment, as: UTF8.self)))
    }

    /// One presentation context for each pair of SOP class and transfer syntax, as many as an association can have.
    private static func contexts(for objects: [ScannedObject]) -> [RequestedContext] {
        var contexts: [RequestedContext] = []
        for object in objects where !contexts.contains(where: { $0.carries(object) }) {
            guard contexts.count < AssociationRequestPDU.contextLimit else { break }
            contexts.append(
                RequestedContext(
                    identifier: UInt8(2 * contexts.count + 1), abstractSyntax: object.sopClass,
                    transferSyntax: object.transferSyntax))
        }
        return contexts
    }

    private static func response(
        to request: DIMSECommand, _ field: UInt16, context: UInt8, on association: Association
    ) throws(NetworkError) -> DIMSECommand {
        guard let answer = try association.readCommand(), answer.context == context, answer.command.field == field,
            answer.command.messageID == request.messageID, !answer.command.hasDataset
        else { throw .protocolViolation }
        return answer.command
    }

    /// Tells the peer that we stop here, unless it is gone already.
    private static func abandon(_ association: Association, after error: NetworkError) {
        switch error {
        case .protocolViolation, .deadlinePassed, .upperLayerFailed: association.abort()
        default: break
        }
    }
}

/// What became of one file.
public enum SendOutcome: Equatable, Sendable {
    /// The peer's answer; anything but 0000 and the warnings Bxxx means that it did not keep the object.
    case answered(StoreResponse)
    case notSent(NetworkError)
    case unreadable(ScanError)
}

/// Status and comment of a C-STORE response.
///
/// - Source: DICOM PS3.7 section 9.3.1.2 and PS3.4 table B.2-1.
public struct StoreResponse: Equatable, Sendable {
    public let status: UInt16
    public let comment: String

    public init(status: UInt16, comment: String = "") {
        self.status = status
        self.comment = comment
    }

    /// Success, or a warning about data that were nevertheless stored.
    public var isStored: Bool { status == 0 || status & 0xF000 == 0xB000 }
}

extension RequestedContext {
    fileprivate func carries(_ object: ScannedObject) -> Bool {
        abstractSyntax == object.sopClass && transferSyntax == object.transferSyntax
    }
}
