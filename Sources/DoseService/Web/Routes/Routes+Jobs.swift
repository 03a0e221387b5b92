import HTTP
import Jobs
import Postgres

extension Routes {
    static let jobPattern = "/v1/jobs/{id}"

    func addJobs(_ router: inout Router) {
        add(.get, "/v1/jobs", .reader, to: &router) { request, _ in try await list(request) }
        add(.get, Self.jobPattern, .reader, to: &router, shortcut: readTogether) { request, _ in
            let id = JobID(rawValue: try request.identifier())
            return try await held(request, on: .job(id)) { try await job(id) }
        }
        add(.get, "/v1/jobs/{id}/log", .reader, to: &router) { request, _ in
            let id = JobID(rawValue: try request.identifier())
            _ = try await queue.get(id)
            let entries = try await queue.log(of: id).map(JobLogView.init)
            return Self.tagged(["entries": entries])
        }
        addChange(.post, "/v1/jobs", .operator_, action: .jobCreated, to: &router) { request, _ in
            try create(try request.decoded(NewJobRequest.self))
        }
        addChange(.post, "/v1/jobs/{id}/cancel", .operator_, action: .jobCancelled, to: &router) { request, _ in
            cancel(JobID(rawValue: try request.identifier()))
        }
        addChange(.post, "/v1/jobs/{id}/retry", .operator_, action: .jobRetried, to: &router) { request, _ in
            retry(JobID(rawValue: try request.identifier()))
        }
        addChange(.patch, Self.jobPattern, .operator_, action: .jobPrioritised, to: &router) { request, _ in
            let id = JobID(rawValue: try request.identifier())
            let priority = try request.decoded(PriorityRequest.self).priority
            return { (transaction) throws(ChangeFailure) in
                do throws(JobsError) {
                    try JobLedger(transaction).prioritise(id, priority)
                    return try Self.answer(id, 200, transaction, detail: ["priority": "\(priority)"])
                } catch { throw .jobs(error) }
            }
        }
    }

    private struct NewJobRequest: Decodable {
        let kind: String
        /// Of a reconstruction.
        let dosecase: Int64?
        /// Of a dose.
        let cycle: Int64?
        let priority: Int16?

        enum CodingKeys: String, CodingKey {
            case kind, priority, cycle
            case dosecase = "case"
        }
    }

    private struct PriorityRequest: Decodable { let priority: Int16 }

    private func list(_ request: Request) async throws -> Response {
        var filter = JobFilter()
        if let state = try request.choice("state", JobState.self) { filter.states = [state] }
        if let kind = try request.text("kind") { filter.kinds = [kind] }
        let (before, limit) = try Self.page(request)
        let jobs = try await queue.list(filter, before: before.map(JobID.init(rawValue:)), limit: limit)
        return Self.tagged(JobPage(jobs: jobs.map(JobView.init), next: jobs.last?.id.rawValue))
    }

    private func job(_ id: JobID) async throws -> Response {
        let generation = changes.generation
        return answer(try await queue.get(id), readAt: generation)
    }

    /// Whoever is known and does not want to wait for a change is answered together with the others.
    private func readTogether(_ request: Request, _ complete: @escaping @Sendable (Response) -> Void) -> Bool {
        guard request.rawQuery == nil, let principal = gatekeeper.remembered(request), principal.role >= .reader,
            // What is no number is refused where the reason is told.
            let id = try? request.identifier()
        else { return false }
        let generation = changes.generation
        return reader.read(JobID(rawValue: id)) { found in
            switch found {
            case .success(let job): complete(answer(job, readAt: generation))
            case .failure(let error): complete(FailurePolicy.problem(error).response)
            }
        }
    }

    private func answer(_ job: Job, readAt generation: UInt64) -> Response {
        changes.remember(job.revision, of: job.id, readAt: generation)
        var response = Response.json(JobView(job).json)
        response.fields.set("ETag", EntityTag("\(job.revision)").description)
        return response
    }

    private func create(_ wanted: NewJobRequest) throws(Problem) -> ChangeRequest.Body {
        let isReconstruction = wanted.kind == CaseAssembly.jobKind
        guard isReconstruction || wanted.kind == CycleAssembly.jobKind else {
            throw ProblemType.invalidBody.problem("kind is \(CaseAssembly.jobKind) or \(CycleAssembly.jobKind).")
        }
        guard let subject = isReconstruction ? wanted.dosecase : wanted.cycle else {
            throw ProblemType.invalidBody.problem("\(isReconstruction ? "case" : "cycle") is missing.")
        }
        let priority = wanted.priority ?? NewJob(kind: "", payload: "").priority
        return { (transaction) throws(ChangeFailure) in
            let id: JobID
            do throws(CaseActionError) {
                id =
                    isReconstruction
                    ? try CaseActions.reconstruct(subject, priority: priority, transaction)
                    : try CycleActions.compute(subject, priority: priority, transaction)
            } catch { throw .dosecase(error) }
            do throws(JobsError) { return try Self.answer(id, 202, transaction) } catch { throw .jobs(error) }
        }
    }

    private func cancel(_ id: JobID) -> ChangeRequest.Body {
        { (transaction) throws(ChangeFailure) in
            do throws(JobsError) {
                let outcome = try JobLedger(transaction).cancel(id)
                if case .alreadyEnded(let state) = outcome { throw JobsError.alreadyEnded(state) }
                do throws(PostgresError) {
                    try CaseActions.jobCancelled(id, transaction)
                    try CycleActions.jobCancelled(id, transaction)
                } catch { throw JobsError(error) }
                return try Self.answer(id, outcome == .cancelled ? 200 : 202, transaction)
            } catch { throw .jobs(error) }
        }
    }

    private func retry(_ id: JobID) -> ChangeRequest.Body {
        { (transaction) throws(ChangeFailure) in
            do throws(JobsError) {
                let live = try JobLedger(transaction).retry(id)
                do throws(PostgresError) {
                    try CaseActions.jobRetried(live, transaction)
                    try CycleActions.jobRetried(live, transaction)
                } catch { throw JobsError(error) }
                return try Self.answer(live, 202, transaction)
            } catch { throw .jobs(error) }
        }
    }

    private static func answer(
        _ id: JobID, _ status: Int, _ transaction: Transaction, detail: [String: String] = [:]
    ) throws(JobsError) -> ChangeAnswer {
        let job = try JobLedger(transaction).get(id)
        return ChangeAnswer(
            status: status, location: "/v1/jobs/\(id.rawValue)", body: JSONText.encode(JobView(job)),
            subject: "job/\(id.rawValue)", detail: detail)
    }
}

/// An entry of a job's log as REST shows it.
struct JobLogView: Codable, Equatable {
    /// Seconds since 1970.
    let at: Double
    let event: String
    let attempt: Int
    let owner, reason: String?

    init(_ entry: JobLogEntry) {
        (at, event, attempt) = (entry.at, entry.event, entry.attempt)
        (owner, reason) = (entry.owner, entry.reason)
    }
}
