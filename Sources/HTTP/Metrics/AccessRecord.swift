/// What the access log learns of an exchange: never the raw path, which may name a patient.
public struct AccessRecord: Sendable {
    /// Nil when the request could not be read.
    public let method: Method?
    /// The route's pattern; empty when none matched.
    public let routePattern: String
    public let status: Status
    /// Octets of the answer's body.
    public let bodyBytes: Int
    /// From the complete head to the last octet handed to the connection.
    public let duration: Duration
    public let peer: PeerAddress
    /// Nil when the request could not be read.
    public let trace: TraceContext?
}
