import DICOM
import Foundation
import Jobs
import Logging
import Postgres

/// Performs dose jobs: a child process does the work, its result, the exports and the cycle's step are one transaction
/// with the job's completion.
struct DoseJobs: Sendable {
    let pool: Pool
    let store: ObjectStore
    let site: SiteSettings
    /// The program that is started as the child.
    let program: String
    /// As the service was started with.
    let policy: DosePolicy
    let log: Logger

    private var settings: ServiceSettings { site.current }

    /// What a revision of a cycle is computed from.
    private struct Source {
        let cycle: CycleContent.Cycle
        /// Of the activity maps, in the order of their times.
        let results: [(id: Int64, folder: String)]
        let earlier: [(id: Int64, folder: String)]
        /// Of the latest planar study's anatomy.
        let anatomy: [String]
        /// SPECT images that may set the levels. What has become of one whose file is gone, the dose says.
        let tomographies: [(fileName: String, isPurged: Bool)]
    }

    func perform(_ job: ClaimedJob, _ context: JobContext) async throws -> JobResult {
        guard let payload = JSONText.decode(CycleAssembly.Payload.self, from: job.payload) else {
            throw JobDecision.discard(reason: "payload-garbled")
        }
        // What was decided by REST a moment ago holds for this job.
        try await site.refresh(pool)
        guard let source = try await source(of: payload) else { throw JobDecision.cancel(reason: "revised") }
        guard let given = source.cycle.administeredAt, let activity = source.cycle.administeredMegabecquerel else {
            throw JobDecision.discard(reason: "administration-missing")
        }
        try await bring(source)
        try await step(payload, to: .computing, problem: nil, lease: context.lease)
        // The folder bears the attempt's token: an attempt that comes too late writes where nobody looks.
        let folder = "\(job.id.rawValue)-\(job.lease.token.rawValue)"
        var request = DoseRun.Request(
            activityPaths: source.results.map { "\(store.results)/\($0.folder)/activity.dcm" },
            anatomyPaths: source.anatomy.map(store.path),
            earlierPaths: source.earlier.map { "\(store.results)/\($0.folder)/dose.json" },
            administeredMegabecquerel: activity, administeredAt: given, radionuclide: source.cycle.radionuclide,
            outputFolder: "\(store.results)/\(folder)", namespace: "\(payload.key)/\(job.id.rawValue)",
            createdAt: try await createdAt(job.id))
        request.tomographyPaths = source.tomographies.map { store.path($0.fileName) }
        switch try await ChildWork.ask(.dose(request), program: program, context, ChildLog(log, of: job)) {
        case .summary, .model: throw JobDecision.retry(reason: "child-answer")
        case .problem(let problem):
            let state: CycleState = FailurePolicy.caseState(problem) == .needsInput ? .needsInput : .failed
            if job.attempt >= job.attemptLimit || problem.isFinal {
                try await step(payload, to: state, problem: problem, lease: context.lease)
            }
            throw FailurePolicy.decision(problem)
        case .dose(let summary):
            try await settings.artefacts?.deliver(folder, from: store)
            context.reach(.afterResultFiles)
            return completion(summary, payload, folder, job.lease)
        }
    }

    private func completion(
        _ summary: DoseSummary, _ payload: CycleAssembly.Payload, _ folder: String, _ lease: Lease
    ) -> JobResult {
        let json = JSONText.encode(summary)
        let destinations = settings.destinations
        let failed = summary.checks.first { $0.outcome == .fail }
        let waits = policy.waits(afterFailedCheck: failed != nil)
        let next: CycleState = waits ? .review : Self.isAnythingSent(to: destinations) ? .exporting : .delivered
        return JobResult(json: nil) { (transaction) throws(PostgresError) in
            // Later cycles add up what is let pass now.
            if !waits { _ = try transaction.query(CycleStatements.noteCycle, [.integer(payload.cycleID)]) }
            let row = try transaction.queryOne(
                CycleStatements.insertResult,
                [
                    .integer(payload.cycleID), .integer(Int64(payload.revision)), .integer(lease.job.rawValue),
                    .text(folder), .json(json), .optional(waits ? nil : DoseDecision.automatic.rawValue),
                ])
            if !waits {
                try Self.insertExports(dose: try row["id"], folder: folder, destinations: destinations, transaction)
            }
            _ = try transaction.query(
                CycleStatements.step,
                Self.stepParameters(
                    payload, to: next, code: failed.map { "check-\($0.name)" }, fields: [], lease: lease))
        }
    }

    /// Whether anybody receives any object of a dose.
    static func isAnythingSent(to destinations: [ServiceSettings.Destination]) -> Bool {
        destinations.contains { !Set($0.outputs).isDisjoint(with: DoseFiles.outputNames) }
    }

    /// Puts a dose's objects into the outbox, for each destination those that it receives.
    static func insertExports(
        dose: Int64, folder: String, destinations: [ServiceSettings.Destination], _ transaction: Transaction
    ) throws(PostgresError) {
        for destination in destinations {
            for (output, file) in zip(DoseFiles.outputNames, DoseFiles.exported)
            where destination.outputs.contains(output) {
                _ = try transaction.query(
                    CycleStatements.insertExport,
                    [.integer(dose), .text(destination.name), .text(output), .text("\(folder)/\(file)")])
            }
        }
    }

    private func step(
        _ payload: CycleAssembly.Payload, to state: CycleState, problem: StudyProblem?, lease: Lease
    ) async throws {
        var fields: [String] = []
        if case .needsInput(_, let asked) = problem { fields = asked }
        let parameters = Self.stepParameters(payload, to: state, code: problem?.code, fields: fields, lease: lease)
        try await pool.run { (connection) throws(PostgresError) in
            _ = try connection.query(CycleStatements.step, parameters)
        }
    }

    private static func stepParameters(
        _ payload: CycleAssembly.Payload, to state: CycleState, code: String?, fields: [String], lease: Lease
    ) -> [Parameter] {
        [
            .integer(payload.cycleID), .integer(Int64(payload.revision)), .text(state.rawValue), .optional(code),
            .json(JSONText.encode(fields)), .text(state.predecessors.joined(separator: ",")),
            .integer(lease.job.rawValue), .integer(lease.token.rawValue),
        ]
    }

    /// - Returns: nil when the revision is none any more.
    private func source(of payload: CycleAssembly.Payload) async throws -> Source? {
        try await pool.run { (connection) throws(PostgresError) -> Source? in
            let parameters: [Parameter] = [.integer(payload.cycleID), .integer(Int64(payload.revision))]
            guard let row = try connection.query(CycleStatements.current, parameters).first else { return nil }
            let given: String? = try row["administered_at"]
            var cycle = CycleContent.Cycle(
                id: payload.cycleID, radionuclide: try row["radionuclide"],
                administeredAt: given.flatMap { LocalTimestamp(dateTime: $0) },
                megabecquerel: try row["administered_mbq"], isStated: false)
            var results: [(id: Int64, folder: String)] = []
            var latest: [Parameter] = []
            for row in try connection.query(CycleStatements.results, [.integer(payload.cycleID)]) {
                let (id, text): (Int64, String) = (try row["id"], try row["acquisition"])
                results.append((id, try row["folder"]))
                latest = [.integer(try row["case_id"]), .integer(Int64(try row["case_revision"] as Int))]
                guard let acquisition = JSONText.decode(ResultSummary.Acquisition.self, from: text) else { continue }
                cycle.points.append(.init(result: id, acquisition: acquisition, isCalibrated: true))
            }
            var anatomy: [String] = []
            for row in latest.isEmpty ? [] : Array(try connection.query(CaseStatements.files, latest)) {
                let modality: String = try row["modality"]
                if modality != "NM" { anatomy.append(try row["file_name"]) }
            }
            let patient: String = try row["patient_key"]
            return Source(
                cycle: cycle, results: results,
                earlier: try CycleAssembly.earlier(than: cycle, payload.cycleID, patient, connection), anatomy: anatomy,
                tomographies: try CycleAssembly.tomographies(of: cycle, patient, connection).map { ($1, $2) })
        }
    }

    /// For a worker without the shared folder.
    private func bring(_ source: Source) async throws {
        guard let artefacts = settings.artefacts else { return }
        try await artefacts.bring(
            source.anatomy + source.tomographies.filter { !$0.isPurged }.map(\.fileName), to: store)
        for (id, folder) in source.results {
            try await artefacts.bring(
                ["activity.dcm"], ifAny: ["summary.json", "views.json"], of: "v1/results/\(id)",
                into: "\(store.results)/\(folder)")
        }
        for (id, folder) in source.earlier {
            try await artefacts.bring(["dose.json"], of: "v1/doses/\(id)", into: "\(store.results)/\(folder)")
        }
    }

    /// The job's own time, so that every attempt writes the same objects.
    private func createdAt(_ id: JobID) async throws -> LocalTimestamp {
        let created = try await JobQueue(pool: pool).get(id).createdAt
        return LocalTimestamp(Date(timeIntervalSince1970: created))
    }
}
