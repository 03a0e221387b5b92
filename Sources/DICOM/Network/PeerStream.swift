import CDCMTK
import Glibc

/// The bytes of one accepted connection, before and below an association.
///
/// Frees the C side, and with it closes the socket, when it goes.
final class PeerStream {
    let handle: OpaquePointer

    /// Takes over a connected socket.
    init?(descriptor: Int32, security: TransportSecurity? = nil) {
        let context = security?.current()
        let opened = context.map { cdcmtk_stream_open_tls(descriptor, $0.handle) } ?? cdcmtk_stream_open(descriptor)
        withExtendedLifetime(context) {}
        guard let opened else { return nil }
        handle = opened
    }

    deinit {
        cdcmtk_stream_close(handle)
    }

    /// Agrees on TLS, when the stream was opened for it; has to come first.
    func shakeHands(within limit: Duration) -> Bool { cdcmtk_stream_shake_hands(handle, limit.milliseconds) }

    /// Reads the first PDU of a connection, whatever its pace, within one deadline.
    ///
    /// - Returns: the whole PDU, head included.
    /// - Throws: ``NetworkError/protocolViolation`` when it is not an A-ASSOCIATE-RQ of a sensible length,
    ///   ``NetworkError/deadlinePassed``, ``NetworkError/connectionClosed``.
    func readAssociationRequest(within limit: Duration) throws(NetworkError) -> [UInt8] {
        let deadline = ContinuousClock.now + limit
        let head = try read(count: AssociationRequestPDU.headLength, before: deadline)
        let length = head[2...5].reduce(0) { $0 << 8 | Int($1) }
        guard head[0] == AssociationRequestPDU.type,
            (AssociationRequestPDU.fixedLength...AssociationRequestPDU.bodyLengthLimit).contains(length)
        else { throw .protocolViolation }
        return head + (try read(count: length, before: deadline))
    }

    func write(_ bytes: [UInt8], within limit: Duration) {
        _ = cdcmtk_stream_write(handle, bytes, bytes.count, limit.milliseconds)
    }

    /// Waits for the peer to close first, so that what was written last is not lost in a reset.
    func awaitEnd(within limit: Duration) {
        cdcmtk_stream_await_end(handle, limit.milliseconds)
    }

    private func read(count: Int, before deadline: ContinuousClock.Instant) throws(NetworkError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let left = deadline - ContinuousClock.now
            let received = bytes.withUnsafeMutableBytes { buffer in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                return cdcmtk_stream_read(handle, rest.baseAddress, rest.count, max(left, .zero).milliseconds)
            }
            if received < 0, errno == ETIMEDOUT { throw .deadlinePassed }
            guard received > 0 else { throw .connectionClosed }
            filled += received
        }
        return bytes
    }
}

extension Duration {
    /// Rounded up to whole milliseconds, for calls of C.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
