/// Writes the body of an answer while it is sent.
public struct BodyWriter: Sendable {
    let loop: EventLoop
    let connection: ConnectionID
    /// A writer that outlives its exchange must not write into the next.
    let exchange: Int

    /// Hands octets over, and waits while too many are unsent.
    ///
    /// - Throws: ``HTTPError/disconnected`` when the peer has gone or the server has stopped.
    public func write(_ bytes: [UInt8]) async throws(HTTPError) {
        try await loop.write(bytes, to: connection, exchange: exchange)
    }
}

/// Writes server-sent events.
public struct EventWriter: Sendable {
    let body: BodyWriter

    /// - Throws: ``HTTPError/disconnected`` when the peer has gone or the server has stopped.
    public func send(_ event: ServerSentEvent) async throws(HTTPError) {
        try await body.write(event.encoded)
    }
}
