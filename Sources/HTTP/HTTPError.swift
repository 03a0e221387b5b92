/// What can go wrong on our side of the protocol. What a peer does wrong is a ``Violation``.
public enum HTTPError: Error, Equatable {
    /// The listening socket could not be opened; `code` is the errno.
    case cannotListen(host: String, port: UInt16, code: Int32)
    /// The kernel refused an epoll instance or a registration; `code` is the errno.
    case cannotWatch(code: Int32)
    /// `start()` was called twice, or after `stop()`.
    case notStartable
    /// A certificate, key or authority file was refused; `reason` is OpenSSL's own text.
    case tls(file: String, reason: String)
    /// A file to be sent is missing or is no regular file; `code` is the errno.
    case cannotOpenFile(code: Int32)
    /// The peer went away, or the server stopped, before the stream's end.
    case disconnected
}
