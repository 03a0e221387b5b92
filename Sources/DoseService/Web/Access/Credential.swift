import COpenSSL
import HTTP

/// What a request shows of who sends it.
enum Credential: Hashable, Sendable {
    /// A key's number and the digest of its secret.
    case key(id: Int64, digest: String)
    /// The subject of a verified client certificate.
    case certificate(subject: String)

    /// Nil when nothing is shown; a certificate counts when there is no key.
    ///
    /// - Throws: the problem of a key that is no key.
    init?(_ request: Request) throws(Problem) {
        if let value = request.header("Authorization") {
            self = try Self.parse(authorization: value)
        } else if let subject = request.clientSubject {
            self = .certificate(subject: subject)
        } else {
            return nil
        }
    }

    private static func parse(authorization value: String) throws(Problem) -> Credential {
        let words = value.split(separator: " ", omittingEmptySubsequences: false)
        // RFC 9110 section 11.1: the scheme's case does not matter.
        guard words.count == 2, words[0].lowercased() == "bearer", let secret = KeySecret(String(words[1])) else {
            throw ProblemType.keyInvalid.problem()
        }
        return .key(id: secret.id, digest: secret.digest)
    }
}

/// A key as its holder has it: `scintivol_NUMBER_SECRET`. It is shown once; what is kept is the digest of its secret.
///
/// The secret is 256 random bits, so that a plain digest needs no salt and no work factor.
struct KeySecret: Sendable {
    private static let prefix = "scintivol"
    private static let secretDigits = 64

    let id: Int64
    private let secret: String

    static func makeSecret() -> String {
        (0..<4).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    init(id: Int64, secret: String) { (self.id, self.secret) = (id, secret) }

    /// Nil when the text is no key.
    init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == Self.prefix, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let id = Int64(parts[1]), parts[2].utf8.count == Self.secretDigits
        else { return nil }
        self.init(id: id, secret: String(parts[2]))
    }

    var text: String { "\(Self.prefix)_\(id)_\(secret)" }
    var digest: String { Digest.hex(of: Array(secret.utf8)) }

    /// Takes the same time wherever the two differ.
    static func isSame(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        return left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
