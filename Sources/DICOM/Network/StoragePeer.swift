/// A DICOM application that we call.
public struct StoragePeer: Equatable, Sendable {
    /// A host name or numeric IPv4 address.
    public let host: String
    public let port: UInt16
    public let calledTitle: String
    public let callingTitle: String

    /// Certificates for TLS; none means a plain connection.
    public var security: TransportSecurity?

    /// Rounded up to whole seconds.
    public var connectDeadline = Duration.seconds(10)
    /// For the next answer of the peer, which may first make the object durable.
    public var responseDeadline = Duration.seconds(60)
    public var pduDeadline = Duration.seconds(20)
    public var writeDeadline = Duration.seconds(30)

    /// DCMTK keeps host and port in a field of 64 bytes.
    static let hostLengthLimit = 57
    /// - Source: DICOM PS3.5 table 6.2-1, AE.
    static let titleLengthLimit = 16

    /// - Throws: ``NetworkError/unusablePeer`` for what cannot be written into an association request.
    public init(host: String, port: UInt16, calledTitle: String, callingTitle: String) throws(NetworkError) {
        guard (1...Self.hostLengthLimit).contains(host.utf8.count), host.utf8.allSatisfy(Self.isHostByte), port > 0,
            Self.isTitle(calledTitle), Self.isTitle(callingTitle)
        else { throw .unusablePeer }
        self.host = host
        self.port = port
        self.calledTitle = calledTitle
        self.callingTitle = callingTitle
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isTitle(_ title: String) -> Bool {
        (1...titleLengthLimit).contains(title.utf8.count)
            && title.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
            && title.utf8.contains { $0 != UInt8(ascii: " ") }
    }

    var limits: Association.Limits {
        let longestPDU: UInt32 = 131_072
        return Association.Limits(
            idle: responseDeadline, pdu: pduDeadline, write: writeDeadline, pduLength: longestPDU)
    }
}

/// A presentation context that we propose.
struct RequestedContext: Equatable {
    let identifier: UInt8
    let abstractSyntax: UID
    let transferSyntax: UID
    /// We are the provider of the class here, although we have called.
    var isProvided = false
    var isAccepted = false
}
