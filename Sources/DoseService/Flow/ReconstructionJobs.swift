import DICOM
import Foundation
import Jobs
import Logging
import Postgres
import Tomography

/// Performs reconstruction jobs: a child process does the work, its result, the exports and the case's step are one
/// transaction with the job's completion.
struct ReconstructionJobs: Sendable {
    let pool: Pool
    let store: ObjectStore
    let site: SiteSettings
    /// The program that is started as the child.
    let program: String
    let log: Logger

    private var settings: ServiceSettings { site.current }

    func perform(_ job: ClaimedJob, _ context: JobContext) async throws -> JobResult {
        guard let payload = JSONText.decode(CaseAssembly.Payload.self, from: job.payload) else {
            throw JobDecision.discard(reason: "payload-garbled")
        }
        // What was decided by REST a moment ago holds for this job.
        try await site.refresh(pool)
        let files = try await files(of: payload)
        guard !files.planar.isEmpty else { throw JobDecision.cancel(reason: "revised") }
        try await settings.artefacts?.bring(files.names, to: store)
        try await step(payload, to: .reconstructing, problem: nil, lease: context.lease)
        // The folder bears the attempt's token: an attempt that comes too late writes where nobody looks.
        let folder = "\(job.id.rawValue)-\(job.lease.token.rawValue)"
        var request = ReconstructionRun.Request(
            planarPaths: files.planar, anatomyPaths: files.anatomy, sites: try await sites(),
            outputFolder: "\(store.results)/\(folder)", namespace: "\(payload.key)/\(job.id.rawValue)",
            createdAt: try await createdAt(job.id))
        request.rules = settings.rules
        request.writesPETCopy = settings.destinations.contains { $0.outputs.contains(ResultObjects.Output.pt.rawValue) }
        request.answers = try await pool.run { (connection) throws(PostgresError) in
            try CaseAssembly.answers(to: payload.caseID, in: connection)
        }
        try await choose(for: payload, &request)
        switch try await ChildWork.ask(.reconstruction(request), program: program, context, ChildLog(log, of: job)) {
        case .dose, .model: throw JobDecision.retry(reason: "child-answer")
        case .problem(let problem):
            let isLast = job.attempt >= job.attemptLimit
            if isLast || FailurePolicy.caseState(problem) == .needsInput || problem.isFinal {
                try await step(payload, to: FailurePolicy.caseState(problem), problem: problem, lease: context.lease)
            }
            throw FailurePolicy.decision(problem)
        case .summary(let summary):
            // A remote worker's folder is gone once it is delivered.
            let objects = ResultObjects.files(in: "\(store.results)/\(folder)")
            guard !objects.isEmpty else { throw JobDecision.retry(reason: "result-gone") }
            try await settings.artefacts?.deliver(folder, from: store)
            context.reach(.afterResultFiles)
            return completion(summary, payload, folder, objects, job.lease)
        }
    }

    /// The method that the site wants and the models for it; Stage 0 when there are none.
    private func choose(
        for payload: CaseAssembly.Payload, _ request: inout ReconstructionRun.Request
    ) async throws {
        let networks = settings.networks
        guard networks.method.network != nil else { return }
        request.method = networks.method
        request.populationModelPath = networks.populationPath
        let own = try await pool.run { (connection) throws(PostgresError) -> (id: Int64, file: String)? in
            guard let row = try connection.query(ModelStatements.use, [.integer(payload.caseID)]).first else {
                return nil
            }
            return (try row["id"], try row["file_name"])
        }
        if let own {
            let path = "\(store.results)/\(own.file)"
            let folder = (path as NSString).deletingLastPathComponent
            try await settings.artefacts?.bring([ModelJobs.fileName], of: "v1/models/\(own.id)", into: folder)
            request.modelPath = path
        } else if request.populationModelPath == nil {
            request.method = .stage0
            request.findings.append("model-missing")
        }
    }

    private func completion(
        _ summary: ResultSummary, _ payload: CaseAssembly.Payload, _ folder: String,
        _ objects: [ResultObjects.File], _ lease: Lease
    ) -> JobResult {
        let json = JSONText.encode(summary)
        let destinations = settings.destinations
        let failed = summary.checks.first { $0.outcome == .fail }
        return JobResult(json: nil) { (transaction) throws(PostgresError) in
            let row = try transaction.queryOne(
                CaseStatements.insertResult,
                [
                    .integer(payload.caseID), .integer(Int64(payload.revision)), .integer(lease.job.rawValue),
                    .text(folder), .json(json),
                ])
            let result: Int64 = try row["id"]
            // What fails a check waits for a person.
            var next = CaseState.review
            if failed == nil {
                let count = try Self.insertExports(
                    objects, of: result, in: folder, destinations: destinations, transaction)
                next = count == 0 ? .delivered : .exporting
            }
            _ = try transaction.query(
                CaseStatements.step,
                Self.stepParameters(
                    payload, to: next, code: failed.map { "check-\($0.name)" }, fields: [], lease: lease))
        }
    }

    /// Puts a result's objects into the outbox, for each destination those that it receives.
    ///
    /// - Returns: how many there are.
    static func insertExports(
        _ objects: [ResultObjects.File], of result: Int64, in folder: String,
        destinations: [ServiceSettings.Destination], _ transaction: Transaction
    ) throws(PostgresError) -> Int {
        var count = 0
        for destination in destinations {
            for object in objects where destination.outputs.contains(object.output.rawValue) {
                _ = try transaction.query(
                    CaseStatements.insertExport,
                    [
                        .integer(result), .text(destination.name), .text(object.label),
                        .text("\(folder)/\(object.name)"),
                    ])
                count += 1
            }
        }
        return count
    }

    private func step(
        _ payload: CaseAssembly.Payload, to state: CaseState, problem: StudyProblem?, lease: Lease
    ) async throws {
        var fields: [String] = []
        if case .needsInput(_, let asked) = problem { fields = asked }
        let parameters = Self.stepParameters(payload, to: state, code: problem?.code, fields: fields, lease: lease)
        try await pool.run { (connection) throws(PostgresError) in
            _ = try connection.query(CaseStatements.step, parameters)
        }
    }

    private static func stepParameters(
        _ payload: CaseAssembly.Payload, to state: CaseState, code: String?, fields: [String], lease: Lease
    ) -> [Parameter] {
        [
            .integer(payload.caseID), .integer(Int64(payload.revision)), .text(state.rawValue), .optional(code),
            .json(JSONText.encode(fields)), .text(state.predecessors.joined(separator: ",")),
            .integer(lease.job.rawValue), .integer(lease.token.rawValue),
        ]
    }

    private func files(of payload: CaseAssembly.Payload) async throws -> (
        planar: [String], anatomy: [String], names: [String]
    ) {
        let store = store
        return try await pool.run { (connection) throws(PostgresError) in
            var planar: [String] = []
            var anatomy: [String] = []
            var names: [String] = []
            let parameters: [Parameter] = [.integer(payload.caseID), .integer(Int64(payload.revision))]
            for row in try connection.query(CaseStatements.files, parameters) {
                let name: String = try row["file_name"]
                names.append(name)
                let path = store.path(name)
                let modality: String = try row["modality"]
                if modality == "NM" { planar.append(path) } else { anatomy.append(path) }
            }
            return (planar, anatomy, names)
        }
    }

    /// What was described by REST goes before the files that the service was started with.
    private func sites() async throws -> [CameraSite] {
        try await pool.run { (connection) throws(PostgresError) in try Calibrations.sites(connection) } + settings.sites
    }

    /// The job's own time, so that every attempt writes the same objects.
    private func createdAt(_ id: JobID) async throws -> LocalTimestamp {
        let created = try await JobQueue(pool: pool).get(id).createdAt
        return LocalTimestamp(Date(timeIntervalSince1970: created))
    }
}

extension StudyProblem {
    /// No further attempt can do better.
    var isFinal: Bool {
        switch self {
        case .needsInput, .refused: true
        case .failed: false
        }
    }
}
