internal import COpenSSL

/// The TLS state of one connection. Used by the connection's event loop alone.
final class TLSSession {
    private let session: OpaquePointer

    /// Takes the session over.
    init(_ session: OpaquePointer) {
        self.session = session
    }

    deinit { SSL_free(session) }

    enum Outcome {
        case done
        case blocked
        case failed
    }

    func handshake() -> Outcome {
        ERR_clear_error()
        let result = SSL_do_handshake(session)
        return result == 1 ? .done : outcome(of: result)
    }

    func receive(into room: UnsafeMutableRawBufferPointer) -> Transfer {
        ERR_clear_error()
        let result = SSL_read(session, room.baseAddress, Int32(clamping: room.count))
        return transfer(result)
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        ERR_clear_error()
        return transfer(SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count)))
    }

    /// Says close_notify without waiting for the peer's.
    func endSending() {
        ERR_clear_error()
        _ = SSL_shutdown(session)
    }

    /// The verified client certificate's subject as RFC 2253 text.
    var clientSubject: String? {
        guard let certificate = SSL_get1_peer_certificate(session) else { return nil }
        defer { X509_free(certificate) }
        guard SSL_get_verify_result(session) == X509_V_OK, let memory = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(memory) }
        guard openssl_print_subject(memory, certificate) >= 0 else { return nil }
        var text = [UInt8](repeating: 0, count: 1_024)
        let count = BIO_read(memory, &text, Int32(text.count))
        return count > 0 ? String(decoding: text.prefix(Int(count)), as: UTF8.self) : nil
    }

    private func transfer(_ result: Int32) -> Transfer {
        if result > 0 { return .bytes(Int(result)) }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed
        }
    }

    private func outcome(of result: Int32) -> Outcome {
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: .blocked
        default: .failed
        }
    }
}

/// What one call to the transport did.
enum Transfer {
    case bytes(Int)
    case blocked
    case ended
    case failed
}
