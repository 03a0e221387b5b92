import DICOM
import Foundation
package import HTTP
package import Jobs
package import Postgres

/// The REST interface: the same rows that the flow works on, read.
package struct Routes: Sendable {
    static let pageLimit = 200
    static let pageDefault = 50

    let pool: Pool
    let queue: JobQueue
    let store: ObjectStore
    let metrics: Metrics
    let readiness: Readiness

    package init(pool: Pool, queue: JobQueue, store: ObjectStore, metrics: Metrics, readiness: Readiness) {
        (self.pool, self.queue, self.store) = (pool, queue, store)
        (self.metrics, self.readiness) = (metrics, readiness)
    }

    package func router() -> Router {
        var router = Router()
        router.inline(.get, "/livez") { _ in .text("alive\n") }
        router.blocking(.get, "/readyz") { _ in readiness.answer() }
        router.asynchronous(.get, "/metrics") { _ in
            .text(try await metrics.text(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.asynchronous(.get, "/v1/jobs", jobs)
        router.asynchronous(.get, "/v1/jobs/{id}", job)
        router.blocking(.get, "/v1/cases/{id}", dosecase)
        router.blocking(.get, "/v1/results/{id}/rtdose", rtdose)
        router.failure = { error, _ in Self.problem(error).response }
        return router
    }

    private func jobs(_ request: Request) async throws -> Response {
        var filter = JobFilter()
        if let text = request.query("state") {
            guard let state = JobState(rawValue: text) else { throw Self.invalid("state", "is no state of a job") }
            filter.states = [state]
        }
        let limit = try request.query("limit").map { try Self.number($0, "limit", 1...Int64(Self.pageLimit)) }
        let before = try request.query("before").map { try Self.number($0, "before", 1...Int64.max) }
        let jobs = try await queue.list(
            filter, before: before.map(JobID.init(rawValue:)), limit: limit.map(Int.init) ?? Self.pageDefault)
        let page = JobPage(jobs: jobs.map(JobView.init), next: jobs.last?.id.rawValue)
        return .json(Array(JSONText.encode(page).utf8))
    }

    private func job(_ request: Request) async throws -> Response {
        let id = JobID(rawValue: try Self.identifier(request))
        do throws(JobsError) {
            let job = try await queue.get(id)
            var response = Response.json(Array(JSONText.encode(JobView(job)).utf8))
            response.fields.set("ETag", EntityTag("\(job.revision)").description)
            return response
        } catch {
            if case .unknownJob = error { throw Self.notFound("job") }
            throw error
        }
    }

    private func dosecase(_ request: Request) throws -> Response {
        let id = try Self.identifier(request)
        let view = try pool.withConnection { (connection) throws(PostgresError) in
            try CaseView.read(id, connection)
        }
        guard let view else { throw Self.notFound("case") }
        return .json(Array(JSONText.encode(view).utf8))
    }

    private func rtdose(_ request: Request) throws -> Response {
        let id = try Self.identifier(request)
        let folder: String? = try pool.withConnection { (connection) throws(PostgresError) in
            let rows = try connection.query(CaseView.resultFolder, [.integer(id)])
            guard let row = rows.first else { return nil }
            return try row["folder"]
        }
        guard let folder else { throw Self.notFound("result") }
        let body = try FileBody(path: "\(store.results)/\(folder)/activity.dcm")
        return .file(body, type: "application/dicom")
    }

    private static func identifier(_ request: Request) throws(Problem) -> Int64 {
        try number(request.parameter("id") ?? "", "id", 1...Int64.max)
    }

    /// Digits only: `Int64` would take a sign.
    private static func number(_ text: String, _ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64 {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text),
            range.contains(value)
        else { throw invalid(name, "is no number from \(range.lowerBound) to \(range.upperBound)") }
        return value
    }

    private static func invalid(_ name: String, _ text: String) -> Problem {
        Problem(400, type: "/problems/invalid-parameter", title: "Invalid parameter", detail: "\(name) \(text)")
    }

    private static func notFound(_ what: String) -> Problem {
        Problem(404, type: "/problems/not-found", title: "Not found", detail: "There is no such \(what).")
    }

    /// What a failure inside looks like outside: nothing of its text.
    private static func problem(_ error: any Error) -> Problem {
        FailurePolicy.isDatabase(error)
            ? Problem(
                503, type: "/problems/database-unavailable", title: "Database unavailable", fields: ["Retry-After": "5"]
            )
            : Problem(500, type: "/problems/internal", title: "Internal error")
    }
}
