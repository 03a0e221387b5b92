import HTTP
package import Postgres
import Synchronization

/// Tells who stands behind a credential, and remembers it for a while so that a request does not always cost a query.
///
/// What is remembered is forgotten when any key changes, and after ``memoryTime`` even if nobody says so.
package final class KeyRing: Sendable {
    private struct Known {
        let principal: Principal
        let until: ContinuousClock.Instant
    }

    static let memoryTime = Duration.seconds(15)
    /// More are not remembered; they cost a query each.
    private static let memoryLimit = 1000

    private let pool: Pool
    private let known = Mutex<[Credential: Known]>([:])

    package init(pool: Pool) { self.pool = pool }

    private static let key = Statement(
        "api_key_find",
        """
        SELECT name, role, encode(digest, 'hex') AS digest, revoked_at IS NOT NULL OR expires_at <= now() AS is_over,
            extract(epoch FROM expires_at - now())::float8 AS seconds_left FROM api_key
        WHERE id = $1 AND digest IS NOT NULL
        """)

    private static let certificate = Statement(
        "api_key_find_certificate",
        """
        SELECT name, role, revoked_at IS NOT NULL OR expires_at <= now() AS is_over,
            extract(epoch FROM expires_at - now())::float8 AS seconds_left FROM api_key
        WHERE certificate_subject = $1
        """)

    /// Without asking the database.
    func remembered(_ credential: Credential) -> Principal? {
        let found = known.withLock { $0[credential] }
        guard let found, found.until > .now else { return nil }
        return found.principal
    }

    func forget() { known.withLock { $0.removeAll() } }

    /// - Throws: `Problem` for a credential that gives no right, `PostgresError`.
    func principal(_ credential: Credential) async throws -> Principal {
        if let principal = remembered(credential) { return principal }
        let found = try await pool.run { (connection) throws(PostgresError) in
            try Self.find(credential, connection)
        }
        return try admit(found, credential)
    }

    /// The same on a thread that may block.
    func principalBlocking(_ credential: Credential) throws -> Principal {
        if let principal = remembered(credential) { return principal }
        let found = try pool.withConnection { (connection) throws(PostgresError) in
            try Self.find(credential, connection)
        }
        return try admit(found, credential)
    }

    private func admit(_ found: Found?, _ credential: Credential) throws(Problem) -> Principal {
        let missing: ProblemType = if case .key = credential { .keyInvalid } else { .unknownClient }
        guard let found, let role = Role(rawValue: found.role) else { throw missing.problem() }
        if case .key(_, let digest) = credential, !KeySecret.isSame(digest, found.digest ?? "") {
            throw missing.problem()
        }
        if found.isOver { throw ProblemType.keyExpired.problem() }
        let principal = Principal(name: found.name, role: role)
        let until = ContinuousClock.now + min(Self.memoryTime, .seconds(min(found.secondsLeft ?? 60, 60)))
        known.withLock { known in
            if known.count >= Self.memoryLimit { known.removeAll() }
            known[credential] = Known(principal: principal, until: until)
        }
        return principal
    }

    private static func find(_ credential: Credential, _ connection: Connection) throws(PostgresError) -> Found? {
        let (statement, parameter): (Statement, Parameter) =
            switch credential {
            case .key(let id, _): (key, .integer(id))
            case .certificate(let subject): (certificate, .text(subject))
            }
        guard let row = try connection.query(statement, [parameter]).first else { return nil }
        let isOver: Bool? = try row["is_over"]
        return Found(
            name: try row["name"], role: try row["role"], isOver: isOver ?? false,
            digest: statement == key ? try row["digest"] : nil, secondsLeft: try row["seconds_left"])
    }

    private struct Found: Sendable {
        let name, role: String
        let isOver: Bool
        let digest: String?
        let secondsLeft: Double?
    }
}
