import Postgres

/// What happened to whose data, as rows that are only added.
enum AuditTrail {
    /// What is written down; the raw value is what rows hold.
    enum Action: String, CaseIterable, Sendable {
        case associationEnded = "association-ended"
        case instanceConflict = "instance-conflict"
        case identityConflict = "identity-conflict"
        case caseAnswered = "case-answered"
        case exportStored = "export-stored"
        case exportRefused = "export-refused"
        case queried = "archive-queried"
        case sourcesPurged = "sources-purged"
        case started = "service-started"
        case ended = "service-ended"
    }

    struct Event: Sendable {
        var actor: String
        var action: Action
        var subject: String
        /// Numeric address or name of the other side.
        var peer: String?
        /// 0 success, 4 minor failure, 8 serious failure (PS3.15 A.5.2.3).
        var outcome: Int64 = 0
        var detail: [String: String] = [:]
    }

    private static let insert = Statement(
        "audit_write",
        "INSERT INTO audit (actor, action, subject, detail, peer, outcome) VALUES ($1, $2, $3, $4, $5, $6)")

    static func write(_ event: Event, _ runner: some StatementRunner) throws(PostgresError) {
        _ = try runner.query(
            insert,
            [
                .text(event.actor), .text(event.action.rawValue), .text(event.subject),
                .json(JSONText.encode(event.detail)), .optional(event.peer), .integer(event.outcome),
            ])
    }
}
