/// Where audit messages go: a syslog receiver over TCP.
public struct AuditReceiver: Equatable, Sendable {
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16) { (self.host, self.port) = (host, port) }
}
