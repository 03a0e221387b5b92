import CDCMTK
import Glibc

/// The way of audit messages to their repository: syslog over TCP, or over TLS. Its calls block.
///
/// - Source: DICOM PS3.15 annex A.6 and A.7; RFC 5425 (TLS), RFC 6587 section 3.4.1 (TCP), both with octet counting.
public struct AuditTransport: Sendable {
    public let host: String
    public let port: UInt16
    /// Certificates for TLS; none means a plain connection.
    public let security: TransportSecurity?
    /// For each attempt to connect, for each write, and for the repository to close.
    public var deadline = Duration.seconds(10)

    /// - Source: RFC 5425 section 4.1.
    public static let securePort: UInt16 = 6514
    /// - Source: RFC 6587, as registered.
    public static let plainPort: UInt16 = 601

    public init(host: String, port: UInt16, security: TransportSecurity? = nil) {
        (self.host, self.port, self.security) = (host, port, security)
    }

    /// Sends over a connection of its own and waits until the other side has taken everything and closed: what a
    /// repository that breaks off has not read is sent again.
    ///
    /// - Throws: ``NetworkError``.
    public func send(_ bytes: [UInt8]) throws(NetworkError) {
        cdcmtk_network_initialize()
        let descriptor = try connected()
        let context = security?.current()
        let opened = context.map { cdcmtk_stream_connect_tls(descriptor, $0.handle, host) }
        withExtendedLifetime(context) {}
        guard let stream = opened ?? cdcmtk_stream_open(descriptor) else {
            close(descriptor)
            throw .upperLayerFailed
        }
        defer { cdcmtk_stream_close(stream) }
        guard cdcmtk_stream_shake_hands(stream, deadline.milliseconds) else { throw .secureConnectionFailed }
        guard cdcmtk_stream_write(stream, bytes, bytes.count, deadline.milliseconds),
            cdcmtk_stream_finish_sending(stream, deadline.milliseconds)
        else { throw .connectionClosed }
    }

    private func connected() throws(NetworkError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0 else { throw .connectFailed }
        defer { freeaddrinfo(found) }
        // A name may stand for an address that nobody listens at, and for another one.
        var next = found
        while let candidate = next?.pointee {
            if let descriptor = connected(candidate) { return descriptor }
            next = candidate.ai_next
        }
        throw .connectFailed
    }

    private func connected(_ candidate: addrinfo) -> Int32? {
        let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(candidate.ai_family, candidate.ai_socktype | closeOnExec, 0)
        guard descriptor >= 0 else { return nil }
        // Also bounds the connection's establishment.
        var limit = timeval(tv_sec: Int(max(1, deadline.components.seconds)), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
