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

    /// Name of the folder of what an attempt leaves for the next one, be it that of another job with the same key: one that
    /// somebody asks for again is.
    static func workFolder(key: String) -> String { String(Digest.hex(of: Array(key.utf8)).prefix(32)) }

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
            workFolder: "\(store.training)/\(Self.workFolder(key: payload.key))", policy: settings.networks)
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
        let work = "\(store.training)/\(Self.workFolder(key: payload.key))"
        return JobResult(json: JSONText.encode(summary.networks)) { (transaction) throws(PostgresError) in
            let row = try transaction.queryOne(ModelStatements.insert, parameters)
            let model: Int64 = try row["id"]
            try AuditTrail.write(
                .init(actor: "worker", action: .modelTrained, subject: "model/\(model)"), transaction)
            // What led to the model would only fill the disk; up to here another attempt would go on with it.
            try? FileManager.default.removeItem(atPath: work)
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
