/// Where the certificates lie and whom to trust. The files are read again by ``Server/reloadTLS()``.
public struct TLSConfiguration: Sendable, Equatable {
    public enum ClientCertificates: Sendable, Equatable {
        case ignored
        /// A certificate is asked for; one that does not verify ends the handshake.
        case optional(authorities: String)
        case required(authorities: String)
    }

    /// PEM: the server's certificate, then its chain.
    public var certificateChain: String
    /// PEM.
    public var privateKey: String
    public var clientCertificates: ClientCertificates

    public init(certificateChain: String, privateKey: String, clientCertificates: ClientCertificates = .ignored) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
        self.clientCertificates = clientCertificates
    }
}
