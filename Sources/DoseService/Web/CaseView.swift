import Postgres

/// A case as REST shows it. Nothing in it names the patient.
struct CaseView: Codable, Equatable {
    struct Export: Codable, Equatable {
        let destination, output, state: String
        let attempt: Int
        let lastStatus: Int?
        let reason: String?

        enum CodingKeys: String, CodingKey {
            case destination, output, state, attempt, reason
            case lastStatus = "last_status"
        }
    }

    struct Result: Codable, Equatable {
        let id: Int64
        let revision: Int
        let exports: [Export]
    }

    let id: Int64
    let state: String
    let reason: String?
    /// What is asked for.
    let fields: [String]
    let revision: Int
    let instanceCount: Int
    let results: [Result]
    /// By which every line of log about it can be found.
    let trace: String

    enum CodingKeys: String, CodingKey {
        case id, state, reason, fields, revision, results, trace
        case instanceCount = "instance_count"
    }

    private static let one = Statement(
        "case_view",
        """
        SELECT state, reason, fields, revision, cardinality(instance_ids) AS instances, trace
        FROM dose_case WHERE id = $1
        """)

    private static let results = Statement(
        "case_view_results",
        """
        SELECT r.id, r.case_revision, e.destination, e.output, e.state, e.attempt, e.last_status, e.last_reason
        FROM result r LEFT JOIN export_item e ON e.result_id = r.id WHERE r.case_id = $1 ORDER BY r.id, e.id
        """)

    /// - Returns: nil when there is no such case.
    static func read(_ id: Int64, _ connection: some StatementRunner) throws(PostgresError) -> CaseView? {
        guard let row = try connection.query(one, [.integer(id)]).first else { return nil }
        var collected: [Result] = []
        for row in try connection.query(results, [.integer(id)]) {
            let result: Int64 = try row["id"]
            var exports = collected.last?.id == result ? collected.removeLast().exports : []
            let destination: String? = try row["destination"]
            if let destination {
                exports.append(
                    Export(
                        destination: destination, output: try row["output"], state: try row["state"],
                        attempt: try row["attempt"], lastStatus: try row["last_status"], reason: try row["last_reason"])
                )
            }
            collected.append(Result(id: result, revision: try row["case_revision"], exports: exports))
        }
        return CaseView(
            id: id, state: try row["state"], reason: try row["reason"],
            fields: JSONText.decode([String].self, from: try row["fields"]) ?? [], revision: try row["revision"],
            instanceCount: try row["instances"], results: collected, trace: try row["trace"])
    }
}
