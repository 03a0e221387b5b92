import CDCMTK
import Glibc
import Synchronization

/// Certificates for DICOM over TLS, read again when their files change.
///
/// A change that cannot be used, such as a key that is not the certificate's, leaves the certificates of before in
/// place and is reported until it is mended. Sessions that are open keep what they began with.
///
/// - Source: DICOM PS3.15 annex B.12 (BCP 195): TLS 1.2 with authenticated encryption and TLS 1.3.
public final class TransportSecurity: Sendable, Equatable {
    /// PEM files.
    public struct Files: Equatable, Sendable, Codable {
        /// Certificate and what leads to its authority; a client may have none.
        public var certificateChain: String?
        public var privateKey: String?
        /// Whose signatures are believed.
        public var authorities: String?

        public init(certificateChain: String? = nil, privateKey: String? = nil, authorities: String? = nil) {
            (self.certificateChain, self.privateKey) = (certificateChain, privateKey)
            self.authorities = authorities
        }

        enum CodingKeys: String, CodingKey {
            case certificateChain = "certificate_chain"
            case privateKey = "private_key"
            case authorities
        }
    }

    public enum Role: Equatable, Sendable {
        case client
        case server(requiresPeerCertificate: Bool)
    }

    private struct State {
        var context: Context
        var stamps: [Stamp?]
        var lookedAt: ContinuousClock.Instant
        var problem: SecurityProblem?
    }

    /// When and how long a file was.
    private struct Stamp: Equatable {
        let seconds, nanoseconds, byteCount: Int
        let inode: UInt
    }

    /// Files are looked at no more often than this.
    private static let lookPeriod = Duration.seconds(1)

    private let files: Files
    private let role: Role
    private let state: Mutex<State>

    /// - Throws: ``NetworkError/unusableCertificates(_:)``.
    public init(_ files: Files, role: Role) throws(NetworkError) {
        (self.files, self.role) = (files, role)
        let stamps = Self.stamps(files)
        let context = try Context(files, role)
        state = Mutex(State(context: context, stamps: stamps, lookedAt: .now, problem: nil))
    }

    /// Why the files as they are now are not in use.
    public var problem: SecurityProblem? { state.withLock { $0.problem } }

    /// The certificates for the next session.
    func current() -> Context {
        state.withLock { state in
            guard state.lookedAt.duration(to: .now) >= Self.lookPeriod else { return state.context }
            state.lookedAt = .now
            let stamps = Self.stamps(files)
            guard stamps != state.stamps else { return state.context }
            do throws(NetworkError) {
                state.context = try Context(files, role)
                // Only what was read whole counts as seen: a half written pair is tried again.
                (state.stamps, state.problem) = (stamps, nil)
            } catch {
                if case .unusableCertificates(let problem) = error { state.problem = problem }
            }
            return state.context
        }
    }

    private static func stamps(_ files: Files) -> [Stamp?] {
        [files.certificateChain, files.privateKey, files.authorities].map { path in
            var found = stat()
            guard let path, stat(path, &found) == 0 else { return nil }
            return Stamp(
                seconds: found.st_mtim.tv_sec, nanoseconds: found.st_mtim.tv_nsec, byteCount: Int(found.st_size),
                inode: UInt(found.st_ino))
        }
    }

    public static func == (left: TransportSecurity, right: TransportSecurity) -> Bool { left === right }

    /// Owns the C side; immutable once made.
    final class Context: @unchecked Sendable {
        // OpenSSL's contexts may be used by several threads when nobody changes them any more.
        let handle: OpaquePointer

        init(_ files: Files, _ role: Role) throws(NetworkError) {
            var made: OpaquePointer?
            var isServer = false
            var requires = false
            if case .server(let requiresPeerCertificate) = role {
                (isServer, requires) = (true, requiresPeerCertificate)
            }
            let texts = [files.certificateChain, files.privateKey, files.authorities]
            let problem = CStrings.with(texts) { texts in
                var wanted = cdcmtk_tls_files(
                    certificate_chain: texts[0], private_key: texts[1], authorities: texts[2], is_server: isServer,
                    requires_peer_certificate: requires)
                return cdcmtk_tls_create(&wanted, &made)
            }
            guard let made else { throw .unusableCertificates(SecurityProblem(problem)) }
            handle = made
        }

        deinit { cdcmtk_tls_release(handle) }
    }
}

/// What is wrong with certificate files.
public enum SecurityProblem: String, Equatable, Sendable {
    case certificate, key, authorities, memory

    init(_ problem: cdcmtk_tls_problem) {
        switch problem {
        case CDCMTK_TLS_CERTIFICATE: self = .certificate
        case CDCMTK_TLS_KEY: self = .key
        case CDCMTK_TLS_AUTHORITIES: self = .authorities
        default: self = .memory
        }
    }
}
