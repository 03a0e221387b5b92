import DICOM
import Jobs
import Logging
import Postgres

/// Puts cases together: looks which instances belong to a planar study once nobody brings more of its patient and it
/// has been quiet, and asks for its reconstruction when nothing is missing.
///
/// Late instances make a new revision, and the job of the revision before is called off. Several services may do this
/// side by side: a patient is looked through under the lock of its arrivals.
struct CaseAssembly: Sendable {
    static let jobKind = "reconstruct"
    /// How often is looked.
    static let period = Duration.seconds(1)

    let pool: Pool
    let site: SiteSettings
    /// Asks archives, when there are any.
    let search: ArchiveSearch
    let log: Logger

    /// What a reconstruction job is about.
    struct Payload: Codable, Equatable {
        let caseID: Int64
        let revision: Int
        /// By which the case is followed through the logs.
        var trace: String?

        enum CodingKeys: String, CodingKey {
            case revision, trace
            case caseID = "case"
        }

        var key: String { "\(CaseAssembly.jobKind)/\(caseID)/\(revision)" }
    }

    /// Looks until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(JobsError) {
                // One patient's trouble is not another's.
                for patient in try await duePatients() { await assemble(patient) }
            } catch { log.failure("case assembly failed", error) }
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
        }
    }

    private func duePatients() async throws(JobsError) -> [String] {
        let parameters: [Parameter] = [.seconds(site.current.quietTime), .seconds(site.current.hardDeadline)]
        return try await pool.run { (connection) throws(JobsError) in
            do throws(PostgresError) {
                return try connection.query(CaseStatements.duePatients, parameters).map { row throws(PostgresError) in
                    try row["patient_key"]
                }
            } catch { throw JobsError(error) }
        }
    }

    private func assemble(_ patientKey: String) async {
        do throws(JobsError) {
            if !search.archives.isEmpty { await search.countSeries(try await incompleteSeries(of: patientKey)) }
            let networks = site.current.networks
            let outcomes: [Outcome] = try await pool.transaction { (transaction) throws(JobsError) in
                do throws(PostgresError) {
                    return try Self.lookThrough(patientKey, networks, in: transaction)
                } catch { throw JobsError(error) }
            }
            for outcome in outcomes { log.info("case assembled", metadata: outcome.fields) }
        } catch { log.failure("case assembly failed", error) }
    }

    /// A case that changed.
    private struct Outcome {
        let id: Int64
        let revision: Int
        let state, trace: String
        /// The traces of what brought its instances.
        let bringers: [String]

        var fields: Logger.Metadata {
            [
                "case": "\(id)", "revision": "\(revision)", "state": "\(state)", "trace": "\(trace)",
                "brought_by": "\(bringers.joined(separator: " "))",
            ]
        }
    }

    /// Series of cases that would go on, for which an archive may know better.
    private func incompleteSeries(of patientKey: String) async throws(JobsError) -> [CaseContent.Series] {
        try await pool.run { (connection) throws(JobsError) in
            do throws(PostgresError) {
                var series: [CaseContent.Series] = []
                try Self.openNew(patientKey, in: connection)
                for row in try connection.query(CaseStatements.ofPatientUnlocked, [.text(patientKey)]) {
                    let content = try Self.content(row, in: connection)
                    let known: String? = try row["content_key"]
                    if content.key != known, content.missing == nil || content.missing?.code == "series-incomplete" {
                        series += content.series.filter { !series.contains($0) }
                    }
                }
                return series
            } catch { throw JobsError(error) }
        }
    }

    /// - Returns: the cases that changed.
    private static func lookThrough(
        _ patientKey: String, _ networks: NetworkPolicy, in transaction: Transaction
    ) throws(PostgresError) -> [Outcome] {
        var arrivals: [Int64] = []
        for row in try transaction.query(CaseStatements.lockArrivals, [.text(patientKey)]) {
            arrivals.append(try row["id"])
        }
        guard !arrivals.isEmpty else { return [] }
        try openNew(patientKey, in: transaction)
        let training = networks.trains ? try ModelAssembly.consider(patientKey, networks, in: transaction) : nil
        var changed: [Outcome] = []
        for row in try transaction.query(CaseStatements.ofPatient, [.text(patientKey)]) {
            let content = try content(row, in: transaction)
            let known: String? = try row["content_key"]
            guard content.key != known, !content.isUsed(since: known) else { continue }
            changed.append(try revise(row, to: content, after: networks.waits ? training : nil, in: transaction))
        }
        _ = try transaction.query(CycleStatements.noteTomography, [.text(patientKey)])
        _ = try transaction.query(CaseStatements.closeArrivals, [.integers(arrivals)])
        _ = try transaction.query(CaseStatements.markArrivals, [.integers(arrivals)])
        return changed
    }

    /// Opens a case for every scan: images of one study that were taken at the same time.
    private static func openNew(_ patientKey: String, in runner: some StatementRunner) throws(PostgresError) {
        var opened: (study: String, at: Double?)?
        let parameters: [Parameter] = [.text(patientKey), .double(PlanarReader.pairingSecondsLimit)]
        for row in try runner.query(CaseStatements.unopened, parameters) {
            let (study, at): (String, Double?) = (try row["study_instance_uid"], try row["acquired_at"])
            if let opened, opened.study == study {
                // An image without a time belongs to whatever there is of its study.
                guard let at, let start = opened.at, at - start > PlanarReader.pairingSecondsLimit else { continue }
            }
            _ = try runner.query(
                CaseStatements.openNew,
                [.text(patientKey), .text(study), .optional(at), .optional(try row["trace"] as String?)])
            opened = (study, at)
        }
    }

    /// What a case's instances and answers make of it now.
    private static func content(_ row: Row, in runner: some StatementRunner) throws(PostgresError) -> CaseContent {
        let id: Int64 = try row["id"]
        let (patient, study): (String, String) = (try row["patient_key"], try row["planar_study_uid"])
        var instances: [CaseContent.Instance] = []
        let parameters: [Parameter] = [
            .text(patient), .text(study), .optional(try row["acquired_at"] as Double?),
            .double(PlanarReader.pairingSecondsLimit), .text(UID.radiopharmaceuticalDoseReport.description),
            .double(AdministrationReport.ageLimitSeconds),
        ]
        for row in try runner.query(CaseStatements.instances, parameters) { instances.append(try instance(row)) }
        let counts = try seriesCounts(of: instances, in: runner)
        return CaseContent(choosingFrom: instances, answers: try answers(to: id, in: runner), counts: counts)
    }

    static func instance(_ row: Row) throws(PostgresError) -> CaseContent.Instance {
        var instance = CaseContent.Instance(
            id: try row["id"], modality: try row["modality"], series: try row["series_instance_uid"],
            frameOfReference: try row["frame_of_reference_uid"])
        (instance.study, instance.isPurged) = (try row["study_instance_uid"], try row["is_purged"])
        (instance.birth, instance.name, instance.sex) = (try row["birth_key"], try row["name_key"], try row["sex"])
        return instance
    }

    /// How many instances archives say that each series has.
    static func seriesCounts(
        of instances: [CaseContent.Instance], in runner: some StatementRunner
    ) throws(PostgresError) -> [String: Int] {
        var counts: [String: Int] = [:]
        let series = Set(instances.map(\.series)).sorted()
        for row in try runner.query(CaseStatements.seriesCounts, [.texts(series)]) {
            counts[try row["series_instance_uid"]] = try row["instance_count"]
        }
        return counts
    }

    static func answers(to id: Int64, in runner: some StatementRunner) throws(PostgresError) -> AnsweredFields {
        var answers = AnsweredFields()
        for row in try runner.query(CaseStatements.answers, [.integer(id)]) {
            let value: String = try row["value"]
            answers.values[try row["field"]] = JSONText.decode(JSONValue.self, from: value)
        }
        return answers
    }

    private static func revise(
        _ row: Row, to content: CaseContent, after training: JobID?, in transaction: Transaction
    ) throws(PostgresError) -> Outcome {
        let (id, revision, trace): (Int64, Int, String) = (try row["id"], try row["revision"], try row["trace"])
        let next = Payload(caseID: id, revision: revision + 1, trace: trace)
        let ledger = JobLedger(transaction)
        let before = Payload(caseID: id, revision: revision)
        let live = try transaction.query(CaseStatements.liveJob, [.text(before.key)])
        do throws(JobsError) {
            for row in live {
                let job: Int64
                do throws(PostgresError) { job = try row["id"] } catch { throw JobsError(error) }
                _ = try ledger.cancel(JobID(rawValue: job), reason: "revised")
            }
            if content.missing == nil {
                _ = try ledger.enqueue(
                    NewJob(kind: jobKind, payload: JSONText.encode(next), key: next.key, dependsOn: training))
            }
        } catch { throw error.postgresError ?? .transactionAborted }
        let state: CaseState = content.missing == nil ? .ready : .needsInput
        if content.missing?.code == "identity-conflict" {
            try AuditTrail.write(
                .init(actor: "assembly", action: .identityConflict, subject: "case/\(id)", outcome: 8), transaction)
        }
        _ = try transaction.query(
            CaseStatements.assemble,
            [
                .integer(id), .text(state.rawValue), .optional(content.missing?.code),
                .json(JSONText.encode(content.missing?.fields ?? [])), .integer(Int64(next.revision)),
                .text(content.key), .integers(content.instances),
            ])
        let bringers = try transaction.query(CaseStatements.bringers, [.integers(content.instances)])
            .map { row throws(PostgresError) -> String in try row["trace"] }
        return Outcome(id: id, revision: next.revision, state: state.rawValue, trace: trace, bringers: bringers)
    }
}
