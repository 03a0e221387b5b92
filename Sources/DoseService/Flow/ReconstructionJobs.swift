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
    let settings: ServiceSettings
    /// The program that is started as the child.
    let program: String
    let log: Logger

    func perform(_ job: ClaimedJob, _ context: JobContext) async throws -> JobResult {
        guard let payload = JSONText.decode(CaseAssembly.Payload.self, from: job.payload) else {
            throw JobDecision.discard(reason: "payload-garbled")
        }
        let files = try await files(of: payload)
        guard !files.planar.isEmpty else { throw JobDecision.cancel(reason: "revised") }
        try await settings.artefacts?.bring(files.names, to: store)
        try await step(payload, to: .reconstructing, problem: nil, lease: context.lease)
        // The folder bears the attempt's token: an attempt that comes too late writes where nobody looks.
        let folder = "\(job.id.rawValue)-\(job.lease.token.rawValue)"
        var request = ReconstructionRun.Request(
            planarPaths: files.planar, anatomyPaths: files.anatomy, sites: try await sites(),
            outputFolder: "\(store.results)/\(folder)", namespace: payload.key, createdAt: try await createdAt(job.id))
        request.rules = settings.rules
        request.answers = try await pool.run { (connection) throws(PostgresError) in
            try CaseAssembly.answers(to: payload.caseID, in: connection)
        }
        switch try await ChildWork.ask(.reconstruction(request), program: program, context, ChildLog(log, of: job)) {
        case .dose: throw JobDecision.retry(reason: "child-answer")
        case .problem(let problem):
            let isLast = job.attempt >= job.attemptLimit
            if isLast || FailurePolicy.caseState(problem) == .needsInput || problem.isFinal {
                try await step(payload, to: FailurePolicy.caseState(problem), problem: problem, lease: context.lease)
            }
            throw FailurePolicy.decision(problem)
        case .summary(let summary):
            try await settings.artefacts?.deliver(folder, from: store)
            context.reach(.afterResultFiles)
            return completion(summary, payload, folder, job.lease)
        }
    }

    private func completion(
        _ summary: ResultSummary, _ payload: CaseAssembly.Payload, _ folder: String, _ lease: Lease
    ) -> JobResult {
        let json = JSONText.encode(summary)
        let destinations = settings.destinations
        let failed = summary.checks.first { $0.outcome == .fail }
        // What fails a check waits for a person.
        let next: CaseState = failed != nil ? .review : destinations.isEmpty ? .delivered : .exporting
        return JobResult(json: nil) { (transaction) throws(PostgresError) in
            let row = try transaction.queryOne(
                CaseStatements.insertResult,
                [
                    .integer(payload.caseID), .integer(Int64(payload.revision)), .integer(lease.job.rawValue),
                    .text(folder), .json(json),
                ])
            let result: Int64 = try row["id"]
            if failed == nil {
                try Self.insertExports(result: result, folder: folder, destinations: destinations, transaction)
            }
            _ = try transaction.query(
                CaseStatements.step,
                Self.stepParameters(
                    payload, to: next, code: failed.map { "check-\($0.name)" }, fields: [], lease: lease))
        }
    }

    /// Puts a result's objects into the outbox, for each destination those that it receives.
    static func insertExports(
        result: Int64, folder: String, destinations: [ServiceSettings.Destination], _ transaction: Transaction
    ) throws(PostgresError) {
        for destination in destinations {
            for file in ReconstructionRun.exportedFiles {
                let output = String(file.prefix { $0 != "." })
                guard destination.outputs.contains(output) else { continue }
                _ = try transaction.query(
                    CaseStatements.insertExport,
                    [.integer(result), .text(destination.name), .text(output), .text("\(folder)/\(file)")])
            }
        }
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
