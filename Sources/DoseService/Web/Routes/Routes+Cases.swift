import HTTP
import Postgres

extension Routes {
    func addCases(_ router: inout Router) {
        add(.get, "/v1/cases", .reader, to: &router) { request, _ in try await listCases(request) }
        add(.get, "/v1/cases/{id}", .reader, to: &router) { request, principal in
            let id = try request.identifier()
            let answer = try await held(request, on: .dosecase(id)) { Self.tagged(try await view(id)) }
            try await auditView("case/\(id)", request, by: principal)
            return answer
        }
        add(.get, "/v1/cases/{id}/log", .reader, to: &router) { request, _ in
            let id = try request.identifier()
            _ = try await view(id)
            let entries = try await pool.run { (connection) throws(PostgresError) in
                try CaseLogView.list(of: id, connection)
            }
            return Self.tagged(["entries": entries])
        }
        addAnswers(&router)
        addChange(.post, "/v1/cases/{id}/approve", .operator_, action: .caseApproved, to: &router) { request, _ in
            let (id, reason) = (try request.identifier(), try Self.reason(request))
            let (store, destinations) = (store, settings.destinations)
            return { (transaction) throws(ChangeFailure) in
                do throws(CaseActionError) {
                    _ = try CaseActions.approve(
                        id, store: store, destinations: destinations, transaction)
                } catch { throw .dosecase(error) }
                return try Self.answer(id, 200, ["reason": reason], transaction)
            }
        }
        addChange(.post, "/v1/cases/{id}/reject", .operator_, action: .caseRejected, to: &router) { request, _ in
            let (id, reason) = (try request.identifier(), try Self.reason(request))
            return { (transaction) throws(ChangeFailure) in
                do throws(CaseActionError) {
                    try CaseActions.reject(id, transaction)
                } catch { throw .dosecase(error) }
                return try Self.answer(id, 200, ["reason": reason], transaction)
            }
        }
    }

    private struct AnswersRequest: Decodable { let answers: [String: JSONValue] }

    /// Fields of one request.
    private static let answerLimit = 50

    /// Both have the case looked through again within a second; what it holds then is another revision.
    private func addAnswers(_ router: inout Router) {
        addChange(.post, "/v1/cases/{id}/answers", .operator_, action: .caseAnswered, to: &router) {
            request, principal in
            let id = try request.identifier()
            let given = try request.decoded(AnswersRequest.self).answers
            guard (1...Self.answerLimit).contains(given.count) else {
                throw ProblemType.invalidBody.problem("answers has 1 to \(Self.answerLimit) fields.")
            }
            for (field, value) in given.sorted(by: { $0.key < $1.key }) { try CaseAnswers.check(field, value) }
            let detail = ["fields": given.keys.sorted().joined(separator: " ")]
            return { (transaction) throws(ChangeFailure) in
                do throws(CaseActionError) {
                    try CaseAnswers.write(given, to: id, by: principal.name, transaction)
                } catch { throw .dosecase(error) }
                return try Self.answer(id, 202, detail, transaction)
            }
        }
        addChange(.post, "/v1/cases/{id}/force", .operator_, action: .caseForced, to: &router) { request, principal in
            let id = try request.identifier()
            return { (transaction) throws(ChangeFailure) in
                do throws(CaseActionError) {
                    try CaseAnswers.write([:], to: id, by: principal.name, transaction)
                } catch { throw .dosecase(error) }
                return try Self.answer(id, 202, [:], transaction)
            }
        }
    }

    private struct ReasonRequest: Decodable { let reason: String }

    /// Why somebody decides so: kept in the audit and shown nowhere else, since it may say anything.
    static func reason(_ request: Request) throws(Problem) -> String {
        try request.decoded(ReasonRequest.self).reason.checked("reason", upTo: 1000)
    }

    private func listCases(_ request: Request) async throws -> Response {
        let state = try request.choice("state", CaseState.self)
        let (before, limit) = try Self.page(request)
        let cases = try await pool.run { (connection) throws(PostgresError) in
            try CaseSummary.list(before: before, state: state, limit: limit, connection)
        }
        return Self.tagged(CasePage(cases: cases, next: cases.last?.id))
    }

    private func view(_ id: Int64) async throws -> CaseView {
        let view = try await pool.run { (connection) throws(PostgresError) in try CaseView.read(id, connection) }
        guard let view else { throw Problem.notFound("case") }
        return view
    }

    static func answer(
        _ id: Int64, _ status: Int, _ detail: [String: String], _ transaction: Transaction
    ) throws(ChangeFailure) -> ChangeAnswer {
        do throws(PostgresError) {
            guard let view = try CaseView.read(id, transaction) else { throw PostgresError.transactionAborted }
            return ChangeAnswer(
                status: status, body: JSONText.encode(view), subject: "case/\(id)", detail: detail)
        } catch { throw .database(error) }
    }
}
