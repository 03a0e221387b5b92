import HTTP
import Postgres

extension Routes {
    func addResults(_ router: inout Router) {
        add(.get, "/v1/results/{id}", .reader, to: &router) { request, principal in
            let (id, found) = try await result(request, principal)
            return Self.tagged(
                ResultView(
                    id: id, dosecase: found.dosecase, job: found.job, revision: found.revision,
                    createdAt: found.createdAt, files: found.files))
        }
        add(.get, "/v1/results/{id}/summary", .reader, to: &router) { request, principal in
            var response = Response.json(Array(try await result(request, principal).1.summary.utf8))
            // A result never changes.
            response.fields.set("ETag", EntityTag("summary-\(try request.identifier())").description)
            return response
        }
        addFile("rtdose", to: &router) { _ in "activity.dcm" }
        addFile("uncertainty", to: &router) { _ in "uncertainty.dcm" }
        addFile("views/{name}", to: &router) { "\($0.parameter("name") ?? "").png" }
        addFile("files/{name}", to: &router) { $0.parameter("name") ?? "" }
    }

    private struct Found: Sendable {
        let dosecase, job: Int64
        let revision: Int
        let createdAt: Double
        let summary, folder: String
        let files: [ResultView.File]
    }

    private func addFile(
        _ ending: String, to router: inout Router, name: @escaping @Sendable (Request) -> String
    ) {
        add(.get, "/v1/results/{id}/\(ending)", .reader, to: &router) { request, principal in
            let folder = try await result(request, principal).1.folder
            let wanted = name(request)
            // Opening a file may block.
            return try await Service.onThread { () throws(Problem) in try ResultFiles(folder: folder).answer(wanted) }
        }
    }

    /// Every look at a result is written down.
    private func result(_ request: Request, _ principal: Principal) async throws -> (Int64, Found) {
        let id = try request.identifier()
        let results = store.results
        let found = try await pool.run { (connection) throws(PostgresError) -> Found? in
            guard let row = try connection.query(ResultFiles.find, [.integer(id)]).first else { return nil }
            let name: String = try row["folder"]
            let folder = "\(results)/\(name)"
            return Found(
                dosecase: try row["case_id"], job: try row["job_id"], revision: try row["case_revision"],
                createdAt: try row["created_at"], summary: try row["summary"], folder: folder,
                files: ResultFiles(folder: folder).all)
        }
        guard let found else { throw Problem.notFound("result") }
        try await auditView("result/\(id)", request, by: principal)
        return (id, found)
    }
}
