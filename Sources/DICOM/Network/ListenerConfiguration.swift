/// How a ``StorageListener`` listens, whom it serves and what it endures.
public struct ListenerConfiguration: Sendable {
    /// A numeric address, IPv4 or IPv6.
    public var address = "0.0.0.0"
    /// 0 lets the system choose.
    public var port: UInt16 = 11112

    /// AE titles by which we may be called; none means any.
    public var calledTitles: Set<String> = []
    /// Who may connect and call, until ``StorageListener/replaceAccess(_:)`` says otherwise.
    public var access = AccessPolicy.open

    /// Certificates for TLS, without which nobody gets in; none means plain connections.
    public var security: TransportSecurity?

    public var contexts = PresentationContextPolicy()

    /// Connections that have not got an association yet count too.
    public var connectionLimit = 256
    public var connectionsPerPeerLimit = 96
    public var associationLimit = 32
    public var associationsPerPeerLimit = 16
    public var backlogLimit: Int32 = 128

    /// From the connection to the end of the TLS handshake, and from there to the last byte of the A-ASSOCIATE-RQ.
    public var requestDeadline = Duration.seconds(10)
    /// Silence between two PDUs.
    public var idleDeadline = Duration.seconds(60)
    /// From the first byte of a PDU to its last.
    public var pduDeadline = Duration.seconds(20)
    public var writeDeadline = Duration.seconds(20)
    /// From the C-STORE command to the last byte of its dataset.
    public var objectDeadline = Duration.seconds(600)
    /// How long a peer may take to close after release, rejection or abort (ARTIM, PS3.8 section 9.1.5).
    public var closeDeadline = Duration.seconds(2)

    public var objectByteLimit = 4 << 30
    /// P-DATA-TF length that is announced: the longest that DCMTK handles.
    public var pduLengthLimit: UInt32 = 131_072

    public init() {}

    var associationLimits: Association.Limits {
        Association.Limits(idle: idleDeadline, pdu: pduDeadline, write: writeDeadline, pduLength: pduLengthLimit)
    }
}

/// What a listener has done since it started.
public struct ListenerCounters: Equatable, Sendable {
    public var openConnections = 0
    public var openAssociations = 0
    public var acceptedAssociations = 0
    /// Answered with A-ASSOCIATE-RJ.
    public var rejectedAssociations = 0
    /// Closed before or instead of an association: over a limit, unknown address, no or no sensible request.
    public var refusedConnections = 0
    public var echoes = 0
    public var storedObjects = 0
    /// Answered with a status other than success.
    public var refusedObjects = 0
    /// Answers to C-STORE by their status.
    public var storeResponses: [UInt16: Int] = [:]
    /// Begun but not received to their end.
    public var interruptedObjects = 0
    /// Of datasets, whether stored or not.
    public var receivedBytes = 0

    public init() {}
}
