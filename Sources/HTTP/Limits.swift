/// Every bound the server keeps, with defaults that suit a service behind no other proxy.
public struct Limits: Sendable, Equatable {
    // Heads. RFC 9112 section 3 asks for at least 8 000 octets of request line.
    public var requestLineBytesLimit = 8_192
    public var fieldBytesLimit = 32_768
    public var fieldCountLimit = 100
    // Chunked bodies: one size line, and all extensions of a body together.
    public var chunkLineBytesLimit = 1_024
    public var chunkExtensionBytesLimit = 16_384
    /// A body that nobody wants is read to its end up to here, so that the connection can go on; else it closes.
    public var discardedBodyBytesLimit = 65_536

    // Connections.
    public var connectionLimit = 12_000
    /// For IPv6 an address is its /64 prefix: that is what one subscriber holds.
    public var connectionsPerAddressLimit = 1_024
    public var requestsPerConnectionLimit = 1_000
    public var listenBacklog: Int32 = 1_024

    // Deadlines.
    /// From the connection's or the request's first moment to the end of the head; the TLS handshake included.
    public var headDeadline = Duration.seconds(10)
    public var idleDeadline = Duration.seconds(60)
    /// A body must bring `transferBytesPerSecondMinimum` over each window of this length.
    public var bodyWindow = Duration.seconds(10)
    /// A peer must take `transferBytesPerSecondMinimum` over each window of this length while an answer waits.
    public var writeWindow = Duration.seconds(30)
    public var transferBytesPerSecondMinimum = 240
    /// After the last answer: how long the peer may take to close, and how much it may still send.
    public var lingerDeadline = Duration.seconds(2)
    public var lingerBytesLimit = 1_048_576
    /// A comment goes out on a silent event stream, so that a dead peer is noticed.
    public var eventStreamHeartbeat = Duration.seconds(15)
    /// How often deadlines are looked at; each may be late by this much.
    public var deadlineResolution = Duration.milliseconds(500)

    // Memory.
    public var receiveBufferBytes = 65_536
    /// Above this much unsent output no further request is read and a stream's writer waits.
    public var outputBytesHighWater = 65_536
    /// All buffered bodies together; what would exceed it is 503. One body's bound is its route's.
    public var bufferedBodyBytesLimit = 536_870_912
    /// A streamed upload goes to its sink in pieces of about this size.
    public var uploadPieceBytes = 262_144

    // Blocking handlers.
    public var blockingThreadCount = 8
    public var blockingQueueLimit = 256

    public init() {}
}
