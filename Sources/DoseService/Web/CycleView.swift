import DICOM
import Postgres

/// A cycle as REST shows it. Nothing in it names the patient.
struct CycleView: Codable, Equatable {
    /// A planar study after the administration.
    struct Point: Codable, Equatable {
        let dosecase, result: Int64
        /// After the administration; nil as long as nobody says when that was.
        let hours: Double?

        enum CodingKeys: String, CodingKey {
            case result, hours
            case dosecase = "case"
        }
    }

    struct Dose: Codable, Equatable {
        let id: Int64
        let revision: Int
        /// ``DoseDecision``; nil while it waits for a person.
        let decision: String?
        let exports: [CaseView.Export]
    }

    let id: Int64
    let state: String
    let reason: String?
    /// What is asked for.
    let fields: [String]
    let revision: Int
    let radionuclide: String
    /// Date-time of DICOM on the site's clock.
    let administeredAt: String?
    let administeredMegabecquerel: Double?
    let points: [Point]
    let doses: [Dose]

    /// The dose that holds: the latest that somebody or its checks let pass, whatever became of later ones.
    let doseInForce: Int64?

    enum CodingKeys: String, CodingKey {
        case id, state, reason, fields, revision, radionuclide, points, doses
        case administeredAt = "administered_at"
        case administeredMegabecquerel = "administered_mbq"
        case doseInForce = "dose_in_force"
    }

    private static let one = Statement(
        "cycle_view",
        """
        SELECT state, reason, fields, revision, radionuclide, administered_mbq,
            to_char(administered_at, 'YYYYMMDDHH24MISS') AS administered_at FROM cycle WHERE id = $1
        """)

    private static let doses = Statement(
        "cycle_view_doses",
        """
        SELECT d.id, d.cycle_revision, d.decision, e.destination, e.output, e.state, e.attempt, e.last_status, e.last_reason
        FROM dose_result d LEFT JOIN export_item e ON e.dose_result_id = d.id WHERE d.cycle_id = $1 ORDER BY d.id, e.id
        """)

    /// - Returns: nil when there is no such cycle.
    static func read(_ id: Int64, _ connection: some StatementRunner) throws(PostgresError) -> CycleView? {
        guard let row = try connection.query(one, [.integer(id)]).first else { return nil }
        let given: String? = try row["administered_at"]
        let start = given.flatMap { LocalTimestamp(dateTime: $0) }
        var stated: Double? = try row["administered_mbq"]
        var points: [Point] = []
        for row in try connection.query(CycleStatements.results, [.integer(id)]) {
            let text: String = try row["acquisition"]
            let image = JSONText.decode(ResultSummary.Acquisition.self, from: text)
            stated = stated ?? image?.administeredMegabecquerel
            let hours = start.flatMap { start in image.map { $0.acquiredAt.seconds(since: start) / 3600 } }
            points.append(Point(dosecase: try row["case_id"], result: try row["id"], hours: hours))
        }
        let doses = try doses(of: id, connection)
        let passed = [DoseDecision.approved, .automatic].map(\.rawValue)
        return CycleView(
            id: id, state: try row["state"], reason: try row["reason"],
            fields: JSONText.decode([String].self, from: try row["fields"]) ?? [], revision: try row["revision"],
            radionuclide: try row["radionuclide"], administeredAt: given, administeredMegabecquerel: stated,
            points: points, doses: doses,
            doseInForce: doses.last { $0.decision.map(passed.contains) ?? false }?.id)
    }

    private static func doses(
        of id: Int64, _ connection: some StatementRunner
    ) throws(PostgresError) -> [Dose] {
        var collected: [Dose] = []
        for row in try connection.query(doses, [.integer(id)]) {
            let dose: Int64 = try row["id"]
            var exports = collected.last?.id == dose ? collected.removeLast().exports : []
            let destination: String? = try row["destination"]
            if let destination {
                exports.append(
                    CaseView.Export(
                        destination: destination, output: try row["output"], state: try row["state"],
                        attempt: try row["attempt"], lastStatus: try row["last_status"], reason: try row["last_reason"])
                )
            }
            collected.append(
                Dose(
                    id: dose, revision: try row["cycle_revision"], decision: try row["decision"], exports: exports))
        }
        return collected
    }
}

/// A cycle in a list.
struct CycleSummary: Codable, Equatable {
    let id: Int64
    let state: String
    let reason: String?
    let fields: [String]
    let revision: Int
    let radionuclide: String
    let pointCount: Int
    /// Seconds since 1970.
    let createdAt, updatedAt: Double

    enum CodingKeys: String, CodingKey {
        case id, state, reason, fields, revision, radionuclide
        case pointCount = "point_count"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    private static let list = Statement(
        "cycle_list",
        """
        SELECT id, state, reason, fields, revision, radionuclide, cardinality(result_ids) AS points,
            extract(epoch FROM created_at)::float8 AS created, extract(epoch FROM updated_at)::float8 AS updated
        FROM cycle
        WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR state = $2) ORDER BY id DESC LIMIT $3
        """)

    static func list(
        before: Int64?, state: CycleState?, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [CycleSummary] {
        let parameters: [Parameter] = [.optional(before), .optional(state?.rawValue), .integer(Int64(limit))]
        return try connection.query(list, parameters).map { row throws(PostgresError) in
            CycleSummary(
                id: try row["id"], state: try row["state"], reason: try row["reason"],
                fields: JSONText.decode([String].self, from: try row["fields"]) ?? [], revision: try row["revision"],
                radionuclide: try row["radionuclide"], pointCount: try row["points"], createdAt: try row["created"],
                updatedAt: try row["updated"])
        }
    }
}

struct CyclePage: Codable, Equatable {
    let cycles: [CycleSummary]
    /// Give it as `before` for the next page; absent on an empty page.
    let next: Int64?
}

/// A dose as REST shows it.
struct DoseView: Codable, Equatable {
    let id, cycle, job: Int64
    let revision: Int
    /// Seconds since 1970.
    let createdAt: Double
    /// ``DoseDecision``; nil while it waits for a person.
    let decision: String?
    /// Who decided; why, the audit says.
    let decidedBy: String?
    let decidedAt: Double?
    let files: [ResultView.File]

    enum CodingKeys: String, CodingKey {
        case id, cycle, job, revision, decision, files
        case createdAt = "created_at"
        case decidedBy = "decided_by"
        case decidedAt = "decided_at"
    }
}
