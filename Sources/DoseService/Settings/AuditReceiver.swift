public import DICOM

/// Where audit messages go: a syslog receiver over TCP, or over TLS.
public struct AuditReceiver: Equatable, Sendable {
    public var host: String
    public var port: UInt16
    /// Certificates for TLS; none means a plain connection.
    public var security: TransportSecurity?

    public init(host: String, port: UInt16, security: TransportSecurity? = nil) {
        (self.host, self.port, self.security) = (host, port, security)
    }

    var transport: AuditTransport { AuditTransport(host: host, port: port, security: security) }
}
