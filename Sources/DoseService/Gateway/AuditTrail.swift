import Postgres

/// Who did what to what, and whose data went where, as rows that are only added. Everything that is written into the
/// audit is written here, and goes to an audit repository as ``AuditMessage`` says it.
enum AuditTrail {
    /// What is written down; the raw value is what rows hold.
    enum Action: String, CaseIterable, Sendable {
        case associationEnded = "association-ended"
        case associationRefused = "association-refused"
        case upload
        case instanceConflict = "instance-conflict"
        case identityConflict = "identity-conflict"
        case caseAnswered = "case-answered"
        case caseForced = "case-forced"
        case caseApproved = "case-approve"
        case caseRejected = "case-reject"
        case cycleApproved = "cycle-approve"
        case cycleRejected = "cycle-reject"
        case cycleAdministered = "cycle-administration"
        case jobCreated = "job-create"
        case jobCancelled = "job-cancel"
        case jobRetried = "job-retry"
        case jobPrioritised = "job-prioritise"
        case viewed = "view"
        case exportStored = "export-stored"
        case exportRefused = "export-refused"
        case queried = "archive-queried"
        case sourcesPurged = "sources-purged"
        case keyCreated = "key-create"
        case keyRevoked = "key-revoke"
        case calibrationAdded = "calibration-add"
        case calibrationWithdrawn = "calibration-withdraw"
        case configurationReplaced = "configuration-replace"
        case configurationWithdrawn = "configuration-withdraw"
        case modelTrained = "model-trained"
        case modelsRetired = "models-retired"
        case started = "service-started"
        case ended = "service-ended"
    }

    struct Event: Sendable {
        var actor: String
        var action: Action
        /// `KIND/NUMBER`, such as `case/7`, or a kind alone; no patient.
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

    /// A look at data changes nothing, so its row may reach the disk a moment after the answer.
    private static let insertView = Statement(
        "audit_write_view",
        """
        WITH setting AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
        INSERT INTO audit (actor, action, subject, detail, peer, outcome) SELECT $1, $2, $3, $4, $5, $6 FROM setting
        """)

    static func write(_ event: Event, _ runner: some StatementRunner) throws(PostgresError) {
        _ = try runner.query(
            event.action == .viewed ? insertView : insert,
            [
                .text(event.actor), .text(event.action.rawValue), .text(event.subject),
                .json(JSONText.encode(event.detail)), .optional(event.peer), .integer(event.outcome),
            ])
    }
}
