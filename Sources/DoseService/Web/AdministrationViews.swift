import Postgres

/// An application that the service knows.
struct PeerView: Codable, Equatable {
    let name, title: String
    /// Where it is called; nil for one that only calls.
    let host: String?
    let port: Int?
    /// Results that go there, by their names, and what makes them delivered.
    let receives: [String]
    let verification: String?
    /// Whether it is asked for what a case misses.
    let isAsked: Bool
    /// Objects by the state of their export.
    let exports: [String: Int]

    enum CodingKeys: String, CodingKey {
        case name, title, host, port, receives, verification, exports
        case isAsked = "is_asked"
    }

    init(_ peer: GatewayPeer, waiting: [String: Int]) {
        (name, title, receives, isAsked) = (peer.name, peer.title, peer.outputs, peer.isAsked)
        (host, port) = (peer.address?.host, peer.address.map { Int($0.port) })
        verification = peer.outputs.isEmpty ? nil : peer.verification.rawValue
        exports = waiting
    }

    private static let counts = Statement(
        "peer_exports", "SELECT destination, state, count(*) AS n FROM export_item GROUP BY destination, state")

    static func waiting(_ connection: Connection) throws(PostgresError) -> [String: [String: Int]] {
        var counts: [String: [String: Int]] = [:]
        for row in try connection.query(Self.counts) {
            counts[try row["destination"], default: [:]][try row["state"]] = try row["n"]
        }
        return counts
    }
}

/// A network that reconstructions may use.
struct ModelView: Codable, Equatable {
    let id: Int64
    let kind, sha256, recipeSHA256: String
    let job: Int64?
    /// Seconds since 1970.
    let createdAt: Double
    let retiredAt: Double?

    enum CodingKeys: String, CodingKey {
        case id, kind, sha256, job
        case recipeSHA256 = "recipe_sha256"
        case createdAt = "created_at"
        case retiredAt = "retired_at"
    }

    private static let list = Statement(
        "model_list",
        """
        SELECT id, kind, sha256, recipe_sha256, job_id, created_at, retired_at FROM model
        WHERE ($1::bigint IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
        """)

    static func list(before: Int64?, limit: Int, _ connection: Connection) throws(PostgresError) -> [ModelView] {
        try connection.query(list, [.optional(before), .integer(Int64(limit))]).map { row throws(PostgresError) in
            ModelView(
                id: try row["id"], kind: try row["kind"], sha256: try row["sha256"],
                recipeSHA256: try row["recipe_sha256"], job: try row["job_id"], createdAt: try row["created_at"],
                retiredAt: try row["retired_at"])
        }
    }
}

struct ModelPage: Codable, Equatable {
    let models: [ModelView]
    let next: Int64?
}

/// Who did what to what.
struct AuditView: Codable, Equatable {
    let id: Int64
    /// Seconds since 1970.
    let at: Double
    let actor, action, subject: String
    /// Numeric address or name of the other side.
    let peer: String?
    /// 0 success, 4 minor failure, 8 serious failure (PS3.15 A.5.2.3).
    let outcome: Int
    /// What the action has to say: reasons, counts, classes.
    let detail: [String: String]

    private static let list = Statement(
        "audit_list",
        """
        SELECT id, extract(epoch FROM at)::float8 AS at, actor, action, subject, peer, outcome, detail FROM audit
        WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR subject = $2)
            AND ($3::text IS NULL OR actor = $3)
        ORDER BY id DESC LIMIT $4
        """)

    static func list(
        before: Int64?, subject: String?, actor: String?, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [AuditView] {
        let parameters: [Parameter] = [
            .optional(before), .optional(subject), .optional(actor), .integer(Int64(limit)),
        ]
        return try connection.query(list, parameters).map { row throws(PostgresError) in
            AuditView(
                id: try row["id"], at: try row["at"], actor: try row["actor"], action: try row["action"],
                subject: try row["subject"], peer: try row["peer"], outcome: try row["outcome"],
                detail: JSONText.decode([String: String].self, from: try row["detail"]) ?? [:])
        }
    }
}

struct AuditPage: Codable, Equatable {
    let entries: [AuditView]
    let next: Int64?
}
