import Postgres

/// A case in a list.
struct CaseSummary: Codable, Equatable {
    let id: Int64
    let state: String
    let reason: String?
    let fields: [String]
    let revision: Int
    /// Seconds since 1970.
    let createdAt, updatedAt: Double

    enum CodingKeys: String, CodingKey {
        case id, state, reason, fields, revision
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    private static let list = Statement(
        "case_list",
        """
        SELECT id, state, reason, fields, revision, extract(epoch FROM created_at)::float8 AS created,
            extract(epoch FROM updated_at)::float8 AS updated FROM dose_case
        WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR state = $2) ORDER BY id DESC LIMIT $3
        """)

    static func list(
        before: Int64?, state: CaseState?, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [CaseSummary] {
        let parameters: [Parameter] = [.optional(before), .optional(state?.rawValue), .integer(Int64(limit))]
        return try connection.query(list, parameters).map { row throws(PostgresError) in
            CaseSummary(
                id: try row["id"], state: try row["state"], reason: try row["reason"],
                fields: JSONText.decode([String].self, from: try row["fields"]) ?? [], revision: try row["revision"],
                createdAt: try row["created"], updatedAt: try row["updated"])
        }
    }
}

struct CasePage: Codable, Equatable {
    let cases: [CaseSummary]
    /// Give it as `before` for the next page; absent on an empty page.
    let next: Int64?
}

/// A step that a case took.
struct CaseLogView: Codable, Equatable {
    let at: Double
    let state: String
    let reason: String?
    let revision: Int

    private static let list = Statement(
        "case_log_list",
        """
        SELECT extract(epoch FROM at)::float8 AS at, state, reason, revision FROM case_log
        WHERE case_id = $1 ORDER BY id LIMIT 1000
        """)

    static func list(of id: Int64, _ connection: Connection) throws(PostgresError) -> [CaseLogView] {
        try connection.query(list, [.integer(id)]).map { row throws(PostgresError) in
            CaseLogView(
                at: try row["at"], state: try row["state"], reason: try row["reason"], revision: try row["revision"])
        }
    }
}
