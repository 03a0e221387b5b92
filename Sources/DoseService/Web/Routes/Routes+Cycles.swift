import DICOM
import HTTP
import Postgres

extension Routes {
    func addCycles(_ router: inout Router) {
        add(.get, "/v1/cycles", .reader, to: &router) { request, _ in try await listCycles(request) }
        add(.get, "/v1/cycles/{id}", .reader, to: &router) { request, principal in
            let id = try request.identifier()
            let view = try await pool.run { (connection) throws(PostgresError) in try CycleView.read(id, connection) }
            guard let view else { throw Problem.notFound("cycle") }
            try await auditView("cycle/\(id)", request, by: principal)
            return Self.tagged(view)
        }
        addDecision("approve", .cycleApproved, to: &router) {
            [site] (id, actor, transaction) throws(CaseActionError) in
            try CycleActions.approve(id, by: actor, destinations: site.current.destinations, transaction)
        }
        addDecision("reject", .cycleRejected, to: &router) { (id, actor, transaction) throws(CaseActionError) in
            try CycleActions.reject(id, by: actor, transaction)
        }
        addAdministrationOfCycle(&router)
        addDoses(&router)
    }

    private func addDecision(
        _ word: String, _ action: AuditTrail.Action, to router: inout Router,
        _ decide: @escaping @Sendable (Int64, _ actor: String, Transaction) throws(CaseActionError) -> Void
    ) {
        addChange(.post, "/v1/cycles/{id}/\(word)", .operator_, action: action, to: &router) { request, principal in
            let (id, reason) = (try request.identifier(), try Self.reason(request))
            return { (transaction) throws(ChangeFailure) in
                do throws(CaseActionError) { try decide(id, principal.name, transaction) } catch {
                    throw .dosecase(error)
                }
                return try Self.answer(cycle: id, detail: ["reason": reason], transaction)
            }
        }
    }

    private struct StatementRequest: Decodable {
        let administeredAt: String?
        let administeredMegabecquerel: Double?

        enum CodingKeys: String, CodingKey {
            case administeredAt = "administered_at"
            case administeredMegabecquerel = "administered_mbq"
        }
    }

    /// MBq of a therapy; more is a slip of the pen.
    private static let activityLimit = 1e6

    private func addAdministrationOfCycle(_ router: inout Router) {
        addChange(
            .post, "/v1/cycles/{id}/administration", .operator_, action: .cycleAdministered, to: &router
        ) { request, principal in
            let id = try request.identifier()
            let wanted = try request.decoded(StatementRequest.self)
            let time = wanted.administeredAt.flatMap { text in
                text.utf8.count == 14 && ("1"..."2").contains(text.prefix(1)) ? LocalTimestamp(dateTime: text) : nil
            }
            guard wanted.administeredAt == nil || time != nil else {
                throw ProblemType.invalidBody.problem("administered_at is YYYYMMDDHHMMSS.")
            }
            let activity = wanted.administeredMegabecquerel
            guard activity.map({ $0 > 0 && $0 <= Self.activityLimit }) ?? (time != nil) else {
                throw ProblemType.invalidBody.problem("administered_mbq is a positive number of MBq.")
            }
            return { (transaction) throws(ChangeFailure) in
                do throws(CaseActionError) {
                    try CycleActions.state(
                        id, administeredAt: time, megabecquerel: activity, actor: principal.name, transaction)
                } catch { throw .dosecase(error) }
                return try Self.answer(cycle: id, detail: [:], transaction)
            }
        }
    }

    private static func answer(
        cycle id: Int64, detail: [String: String], _ transaction: Transaction
    ) throws(ChangeFailure) -> ChangeAnswer {
        do throws(PostgresError) {
            guard let view = try CycleView.read(id, transaction) else { throw PostgresError.transactionAborted }
            return ChangeAnswer(
                status: 200, location: nil, body: JSONText.encode(view), subject: "cycle/\(id)",
                detail: detail)
        } catch { throw .database(error) }
    }

    private func listCycles(_ request: Request) async throws -> Response {
        let state = try request.choice("state", CycleState.self)
        let (before, limit) = try Self.page(request)
        let cycles = try await pool.run { (connection) throws(PostgresError) in
            try CycleSummary.list(before: before, state: state, limit: limit, connection)
        }
        return Self.tagged(CyclePage(cycles: cycles, next: cycles.last?.id))
    }
}

// MARK: - Doses
extension Routes {
    private static let dose = Statement(
        "dose_find",
        """
        SELECT cycle_id, cycle_revision, job_id, folder, summary, extract(epoch FROM created_at)::float8 AS created,
            decision, decided_by, extract(epoch FROM decided_at)::float8 AS decided
        FROM dose_result WHERE id = $1
        """)

    private struct FoundDose: Sendable {
        let view: DoseView
        let summary, folder: String
    }

    private func addDoses(_ router: inout Router) {
        add(.get, "/v1/doses/{id}", .reader, to: &router) { request, principal in
            Self.tagged(try await dose(request, principal).view)
        }
        add(.get, "/v1/doses/{id}/summary", .reader, to: &router) { request, principal in
            let found = try await dose(request, principal)
            var response = Response.json(Array(found.summary.utf8))
            // What a dose says never changes; what people decide about it stands in /v1/doses/ID.
            response.fields.set("ETag", EntityTag("dose-\(found.view.id)").description)
            return response
        }
        addDoseFile("rtdose", to: &router) { _ in "dose.dcm" }
        addDoseFile("report", to: &router) { _ in "report.pdf" }
        addDoseFile("table", to: &router) { _ in "dose.csv" }
        addDoseFile("volume", to: &router) { _ in "dose.nii.gz" }
        addDoseFile("files/{name}", to: &router) { $0.parameter("name") ?? "" }
    }

    private func addDoseFile(
        _ ending: String, to router: inout Router, name: @escaping @Sendable (Request) -> String
    ) {
        add(.get, "/v1/doses/{id}/\(ending)", .reader, to: &router) { request, principal in
            let folder = try await dose(request, principal).folder
            let wanted = name(request)
            // Opening a file may block.
            return try await Service.onThread { () throws(Problem) in try ResultFiles(folder: folder).answer(wanted) }
        }
    }

    /// Every look at a dose is written down.
    private func dose(_ request: Request, _ principal: Principal) async throws -> FoundDose {
        let id = try request.identifier()
        let results = store.results
        let found = try await pool.run { (connection) throws(PostgresError) -> FoundDose? in
            guard let row = try connection.query(Self.dose, [.integer(id)]).first else { return nil }
            let name: String = try row["folder"]
            let folder = "\(results)/\(name)"
            let view = DoseView(
                id: id, cycle: try row["cycle_id"], job: try row["job_id"], revision: try row["cycle_revision"],
                createdAt: try row["created"], decision: try row["decision"], decidedBy: try row["decided_by"],
                decidedAt: try row["decided"], files: ResultFiles(folder: folder).all
            )
            return FoundDose(view: view, summary: try row["summary"], folder: folder)
        }
        guard let found else { throw Problem.notFound("dose") }
        try await auditView("dose/\(id)", request, by: principal)
        return found
    }
}
