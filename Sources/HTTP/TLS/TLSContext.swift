internal import COpenSSL

/// The certificates and settings that handshakes start from. A reload makes a new one; connections keep theirs.
///
/// Unchecked, because the pointer is not Sendable: the context is not changed after the initialiser, and OpenSSL
/// guards its reference count and session cache with locks of its own.
final class TLSContext: @unchecked Sendable {
    private let context: OpaquePointer

    /// - Throws: ``HTTPError/tls(file:reason:)`` naming the file that was refused.
    init(_ configuration: TLSConfiguration) throws(HTTPError) {
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw .tls(file: "", reason: Self.lastReason())
        }
        self.context = context
        openssl_set_server_modes(context)
        try Self.check(openssl_set_minimum_version_tls12(context), "")
        // TLS 1.2 with forward secrecy and authenticated encryption only (RFC 9325 section 4.2); 1.3 has nothing else.
        try Self.check(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20"), "")
        try Self.check(
            SSL_CTX_use_certificate_chain_file(context, configuration.certificateChain),
            configuration.certificateChain)
        try Self.check(
            SSL_CTX_use_PrivateKey_file(context, configuration.privateKey, SSL_FILETYPE_PEM), configuration.privateKey)
        try Self.check(SSL_CTX_check_private_key(context), configuration.privateKey)
        try trustClients(configuration.clientCertificates)
        SSL_CTX_set_alpn_select_cb(context, selectHTTP11, nil)
    }

    deinit { SSL_CTX_free(context) }

    private func trustClients(_ certificates: TLSConfiguration.ClientCertificates) throws(HTTPError) {
        let (authorities, isRequired): (String, Bool)
        switch certificates {
        case .ignored: return
        case .optional(let file): (authorities, isRequired) = (file, false)
        case .required(let file): (authorities, isRequired) = (file, true)
        }
        try Self.check(SSL_CTX_load_verify_locations(context, authorities, nil), authorities)
        // The list that the client chooses its certificate by; the context takes it over.
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authorities))
        // Sessions with a verified client may only be resumed under the same name.
        let name = Array("http".utf8)
        try Self.check(SSL_CTX_set_session_id_context(context, name, UInt32(name.count)), authorities)
        SSL_CTX_set_verify(
            context, SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nil)
    }

    func makeSession(descriptor: Int32) -> TLSSession? {
        guard let session = SSL_new(context) else { return nil }
        SSL_set_accept_state(session)
        guard SSL_set_fd(session, descriptor) == 1 else {
            SSL_free(session)
            return nil
        }
        return TLSSession(session)
    }

    private static func check(_ result: Int32, _ file: String) throws(HTTPError) {
        guard result != 1 else { return }
        throw .tls(file: file, reason: lastReason())
    }

    private static func lastReason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
    }
}

/// Chooses HTTP/1.1 when the client offers it (RFC 7301); a client that offers only others is told so.
private func selectHTTP11(
    _: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered else { return SSL_TLSEXT_ERR_NOACK }
    let name = Array("http/1.1".utf8)
    var index = 0
    while index < Int(offeredCount) {
        let count = Int(offered[index])
        guard index + 1 + count <= Int(offeredCount) else { break }
        let candidate = UnsafeBufferPointer(start: offered + index + 1, count: count)
        if candidate.elementsEqual(name) {
            chosen?.pointee = offered + index + 1
            chosenCount?.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        index += 1 + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
