import Postgres

/// A key as REST and the command show it: all but its secret.
struct KeyView: Codable, Equatable, Sendable {
    let id: Int64
    let name: String
    let role: Role
    let certificateSubject: String?
    /// Seconds since 1970.
    let createdAt: Double
    let expiresAt, revokedAt: Double?
    /// Only in the answer that makes it.
    var key: String?

    enum CodingKeys: String, CodingKey {
        case id, name, role, key
        case certificateSubject = "certificate_subject"
        case createdAt = "created_at"
        case expiresAt = "expires_at"
        case revokedAt = "revoked_at"
    }

    init(_ row: Row) throws(PostgresError) {
        let role: String = try row["role"]
        (id, name, self.role) = (try row["id"], try row["name"], Role(rawValue: role) ?? .reader)
        certificateSubject = try row["certificate_subject"]
        (createdAt, expiresAt, revokedAt) = (try row["created_at"], try row["expires_at"], try row["revoked_at"])
    }
}

/// The rows of keys.
struct KeyStore<Runner: StatementRunner> {
    private let runner: Runner

    init(_ runner: Runner) { self.runner = runner }

    private static var columns: String { "id, name, role, certificate_subject, created_at, expires_at, revoked_at" }

    private static var nextNumber: Statement {
        Statement("api_key_number", "SELECT nextval(pg_get_serial_sequence('api_key', 'id')) AS id")
    }

    private static var insert: Statement {
        Statement(
            "api_key_insert",
            """
            INSERT INTO api_key (id, name, role, digest, certificate_subject, expires_at) OVERRIDING SYSTEM VALUE
            VALUES ($1, $2, $3, decode($4, 'hex'), $5, now() + make_interval(secs => $6)) RETURNING \(columns)
            """)
    }

    private static var list: Statement {
        Statement(
            "api_key_list",
            "SELECT \(columns) FROM api_key WHERE ($1::bigint IS NULL OR id < $1) ORDER BY id DESC LIMIT $2")
    }

    private static var revoke: Statement {
        Statement(
            "api_key_revoke",
            "UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING \(columns)")
    }

    /// Makes a key, or gives a role to the subject of a certificate.
    func add(
        name: String, role: Role, certificateSubject: String? = nil, lifetime: Duration? = nil
    ) throws(PostgresError) -> KeyView {
        let id: Int64 = try runner.queryOne(Self.nextNumber, [])["id"]
        let secret = certificateSubject == nil ? KeySecret(id: id, secret: KeySecret.makeSecret()) : nil
        let row = try runner.queryOne(
            Self.insert,
            [
                .integer(id), .text(name), .text(role.rawValue), .optional(secret?.digest),
                .optional(certificateSubject), lifetime.map { .seconds($0) } ?? .null,
            ])
        var view = try KeyView(row)
        view.key = secret?.text
        return view
    }

    func list(before: Int64?, limit: Int) throws(PostgresError) -> [KeyView] {
        try runner.query(Self.list, [.optional(before), .integer(Int64(limit))]).map { row throws(PostgresError) in
            try KeyView(row)
        }
    }

    /// - Returns: nil when there is no such key.
    func revoke(_ id: Int64) throws(PostgresError) -> KeyView? {
        guard let row = try runner.query(Self.revoke, [.integer(id)]).first else { return nil }
        return try KeyView(row)
    }
}

/// The keys as the command manages them, which needs no key itself: whoever reaches the database may.
public enum Keys {
    /// - Returns: the key, or the certificate's subject, as JSON on one line.
    /// - Throws: ``ServiceError/database(_:)``.
    public static func add(
        _ url: String, name: String, role: String, certificateSubject: String?, days: Int?
    ) throws(ServiceError) -> String? {
        guard let role = Role(rawValue: role) else { return nil }
        return try change(url, action: .keyCreated) { (transaction) throws(PostgresError) in
            let view = try KeyStore(transaction).add(
                name: name, role: role, certificateSubject: certificateSubject,
                lifetime: days.map { .seconds(86_400 * $0) })
            return ("key/\(view.id)", JSONText.encode(view))
        }
    }

    /// - Returns: nil when there is no such key.
    public static func revoke(_ url: String, id: Int64) throws(ServiceError) -> String? {
        try change(url, action: .keyRevoked) { (transaction) throws(PostgresError) in
            try KeyStore(transaction).revoke(id).map { ("key/\(id)", JSONText.encode($0)) }
        }
    }

    /// - Returns: one line of JSON for each key.
    public static func list(_ url: String) throws(ServiceError) -> String {
        do throws(PostgresError) {
            return try KeyStore(Connection(ConnectionSettings(url: url))).list(before: nil, limit: 1000)
                .map { JSONText.encode($0) }.joined(separator: "\n")
        } catch { throw .database(error) }
    }

    private static func change(
        _ url: String, action: AuditTrail.Action,
        _ body: (Transaction) throws(PostgresError) -> (subject: String, text: String)?
    ) throws(ServiceError) -> String? {
        do throws(PostgresError) {
            return try Connection(ConnectionSettings(url: url)).transaction { (transaction) throws(PostgresError) in
                guard let done = try body(transaction) else { return nil }
                try AuditTrail.write(.init(actor: "command", action: action, subject: done.subject), transaction)
                return done.text
            }
        } catch { throw .database(error) }
    }
}
