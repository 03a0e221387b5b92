/// Why a listener did not start, or an association did not do what it was for.
public enum NetworkError: Error, Equatable, Sendable {
    /// The listening socket failed; `code` is the errno of the step.
    case cannotListen(step: ListeningStep, code: Int32)
    case alreadyStarted

    /// A host name, port or AE title that cannot be sent.
    case unusablePeer
    case connectFailed
    /// No TLS session came about: the certificates do not fit, or the peer does not speak TLS.
    case secureConnectionFailed
    case unusableCertificates(SecurityProblem)
    case connectDeadline
    /// A-ASSOCIATE-RJ (PS3.8 table 9-21).
    case associationRejected(AssociationRejection)
    case associationAborted
    case connectionClosed
    case deadlinePassed
    /// The peer broke the protocol of PS3.7 or PS3.8.
    case protocolViolation
    /// The peer accepted the association but no presentation context that is needed.
    case noAcceptedContext
    /// The peer answered a query or a retrieval with a status that is no success.
    case refused(status: UInt16)
    /// More answers to a query than are taken.
    case tooManyAnswers
    /// DCMTK refused for a reason of its own, such as no memory.
    case upperLayerFailed
}

public enum ListeningStep: Equatable, Sendable {
    case address
    case socket
    case bind
    case listen
    case thread
}

/// The three fields of an A-ASSOCIATE-RJ.
///
/// - Source: DICOM PS3.8 table 9-21.
public struct AssociationRejection: Equatable, Sendable {
    public let result: UInt8
    public let source: UInt8
    public let reason: UInt8

    public init(result: UInt8, source: UInt8, reason: UInt8) {
        self.result = result
        self.source = source
        self.reason = reason
    }

    public static let calledTitleNotRecognized = AssociationRejection(result: 1, source: 1, reason: 7)
    public static let callingTitleNotRecognized = AssociationRejection(result: 1, source: 1, reason: 3)
    public static let noReason = AssociationRejection(result: 1, source: 1, reason: 1)
    public static let applicationContextNotSupported = AssociationRejection(result: 1, source: 1, reason: 2)
    public static let protocolVersionNotSupported = AssociationRejection(result: 1, source: 2, reason: 2)
    public static let temporaryCongestion = AssociationRejection(result: 2, source: 3, reason: 1)
    public static let localLimitExceeded = AssociationRejection(result: 2, source: 3, reason: 2)

    /// A word for those that this program gives.
    public var word: String {
        switch self {
        case .calledTitleNotRecognized: "called-title-not-recognized"
        case .callingTitleNotRecognized: "calling-title-not-recognized"
        case .applicationContextNotSupported: "application-context-not-supported"
        case .protocolVersionNotSupported: "protocol-version-not-supported"
        case .temporaryCongestion: "temporary-congestion"
        case .localLimitExceeded: "local-limit-exceeded"
        default: "\(result)-\(source)-\(reason)"
        }
    }

    /// The PDU as it goes over the wire.
    var encoded: [UInt8] { [0x03, 0, 0, 0, 0, 4, 0, result, source, reason] }
}
