import Foundation
import Jobs
import Logging
import Postgres
import Tomography

/// Performs training jobs: a child process does the work, and the model's row is one transaction with the job's
/// completion.
struct ModelJobs: Sendable {
    let pool: Pool
    let store: ObjectStore
    let site: SiteSettings
    /// The program that is started as the child.
    let program: String
    let log: Logger

    static let fileName = "model.safetensors"

    /// What an attempt leaves for the next one, by the job's number.
    static func workFolder(of job: Int64, in store: ObjectStore) -> String { "\(store.training)/\(job)" }

    func perform(_ job: ClaimedJob, _ context: JobContext) async throws -> JobResult {
        guard let payload = JSONText.decode(ModelAssembly.Payload.self, from: job.payload) else {
            throw JobDecision.discard(reason: "payload-garbled")
        }
        try await site.refresh(pool)
        let settings = site.current
        let (names, patient) = try await files(of: payload)
        guard let patient, names.count == payload.instances.count else { throw JobDecision.cancel(reason: "revised") }
        try await settings.artefacts?.bring(names, to: store)
        let described = try await pool.run { (connection) throws(PostgresError) in try Calibrations.sites(connection) }
        let request = PersonalisationRun.Request(
            anatomyPaths: names.map(store.path),
            site: (described + settings.sites).first ?? .uncalibratedMediumEnergy,
            workFolder: Self.workFolder(of: job.id.rawValue, in: store), policy: settings.networks)
        let answer = try await ChildWork.ask(
            .personalisation(request), program: program, context, ChildLog(log, of: job), yields: true)
        switch answer {
        case .problem(let problem): throw FailurePolicy.decision(problem)
        case .model(let summary):
            let folder = "\(job.id.rawValue)-\(job.lease.token.rawValue)"
            try place(summary, in: folder)
            try await settings.artefacts?.deliver(folder, from: store)
            context.reach(.afterResultFiles)
            return completion(summary, payload, patient, folder, job)
        case .summary, .dose: throw JobDecision.retry(reason: "child-answer")
        }
    }

    private func place(_ summary: PersonalisationRun.Summary, in folder: String) throws {
        guard let data = FileManager.default.contents(atPath: summary.path) else {
            throw JobDecision.retry(reason: "model-missing")
        }
        do {
            let target = "\(store.results)/\(folder)"
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            try DurableFile.write(Array(data), to: "\(target)/\(Self.fileName)")
        } catch { throw JobDecision.retry(reason: "result-not-written") }
        // The work is kept; what led to it would only fill the disk.
        try? FileManager.default.removeItem(atPath: (summary.path as NSString).deletingLastPathComponent)
    }

    private func completion(
        _ summary: PersonalisationRun.Summary, _ payload: ModelAssembly.Payload, _ patient: String, _ folder: String,
        _ job: ClaimedJob
    ) -> JobResult {
        let parameters: [Parameter] = [
            .text(patient), .text(summary.hash), .text(summary.recipeHash), .text("\(folder)/\(Self.fileName)"),
            .integer(job.id.rawValue), .text(payload.contentKey), .integers(payload.instances),
            .json(JSONText.encode(summary.networks)),
        ]
        return JobResult(json: JSONText.encode(summary.networks)) { (transaction) throws(PostgresError) in
            let row = try transaction.queryOne(ModelStatements.insert, parameters)
            let model: Int64 = try row["id"]
            try AuditTrail.write(
                .init(actor: "worker", action: .modelTrained, subject: "model/\(model)"), transaction)
        }
    }

    private func files(of payload: ModelAssembly.Payload) async throws -> (names: [String], patient: String?) {
        try await pool.run { (connection) throws(PostgresError) in
            var names: [String] = []
            var patient: String?
            for row in try connection.query(ModelStatements.files, [.integers(payload.instances)]) {
                names.append(try row["file_name"])
                patient = try row["patient_key"]
            }
            return (names, patient)
        }
    }
}
