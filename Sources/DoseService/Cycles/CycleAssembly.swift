import DICOM
import Jobs
import Logging
import Postgres

/// Puts cycles together: looks which reconstructed planar studies follow one administration, and asks for the dose when
/// nothing is missing.
///
/// A further time point makes a new revision, and the job of the revision before is called off. Several services may do
/// this side by side: whoever takes a patient's row looks through its cycles.
struct CycleAssembly: Sendable {
    static let jobKind = "dose"
    /// How often is looked.
    static let period = Duration.seconds(1)

    let pool: Pool
    /// Time points under way are not waited for any longer.
    let hardDeadline: Duration
    let log: Logger

    /// What a dose job is about.
    struct Payload: Codable, Equatable {
        let cycleID: Int64
        let revision: Int
        /// Of the last planar study.
        var trace: String?

        enum CodingKeys: String, CodingKey {
            case revision, trace
            case cycleID = "cycle"
        }

        var key: String { "\(CycleAssembly.jobKind)/\(cycleID)/\(revision)" }
    }

    /// Looks until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                // One patient's trouble is not another's.
                for patient in try await duePatients() { await assemble(patient) }
            } catch { log.failure("cycle assembly failed", error) }
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
        }
    }

    private func duePatients() async throws -> [String] {
        let deadline = hardDeadline
        return try await pool.run { (connection) throws(PostgresError) in
            try connection.query(CycleStatements.duePatients, [.seconds(deadline)]).map { row throws(PostgresError) in
                try row["patient_key"]
            }
        }
    }

    private func assemble(_ patient: String) async {
        do {
            let changed = try await pool.transaction { (transaction) throws(JobsError) in
                do throws(PostgresError) {
                    return try Self.lookThrough(patient, in: transaction)
                } catch { throw JobsError(error) }
            }
            for (payload, state) in changed {
                log.info(
                    "cycle assembled",
                    metadata: [
                        "cycle": "\(payload.cycleID)", "revision": "\(payload.revision)", "state": "\(state.rawValue)",
                        "trace": "\(payload.trace ?? "")",
                    ])
            }
        } catch { log.failure("cycle assembly failed", error) }
    }

    private struct Standing {
        let revision: Int
        let key: String?
    }

    /// - Returns: the cycles that changed.
    private static func lookThrough(
        _ patient: String, in transaction: Transaction
    ) throws(PostgresError) -> [(payload: Payload, state: CycleState)] {
        guard try !transaction.query(CycleStatements.takeDue, [.text(patient)]).isEmpty else { return [] }
        var points: [CycleContent.Point] = []
        for row in try transaction.query(CycleStatements.points, [.text(patient)]) {
            let text: String = try row["acquisition"]
            // Results of earlier versions do not say when their image was taken.
            guard let acquisition = JSONText.decode(ResultSummary.Acquisition.self, from: text) else { continue }
            points.append(
                .init(result: try row["id"], acquisition: acquisition, isCalibrated: try row["calibrated"]))
        }
        var known: [CycleContent.Cycle] = []
        var standings: [Int64: Standing] = [:]
        for row in try transaction.query(CycleStatements.ofPatient, [.text(patient)]) {
            let (id, given): (Int64, String?) = (try row["id"], try row["administered_at"])
            known.append(
                .init(
                    id: id, radionuclide: try row["radionuclide"],
                    administeredAt: given.flatMap { LocalTimestamp(dateTime: $0) },
                    megabecquerel: try row["administered_mbq"], isStated: try row["is_stated"]))
            standings[id] = Standing(revision: try row["revision"], key: try row["content_key"])
        }
        var changed: [(payload: Payload, state: CycleState)] = []
        // The earliest first: the later ones add up what it gave.
        for cycle in CycleContent.cycles(of: points, known: known) {
            let id = if let known = cycle.id { known } else { try open(cycle, patient, transaction) }
            let earlier = try Self.earlier(than: cycle, id, patient, transaction).map(\.id)
            let key = cycle.key(
                earlier: earlier, tomographies: try tomographies(of: cycle, patient, transaction).map(\.id))
            let standing = standings[id] ?? Standing(revision: 0, key: nil)
            guard key != standing.key else { continue }
            changed.append(try revise(id, standing, to: cycle, key, transaction))
        }
        return changed
    }

    private static func open(
        _ cycle: CycleContent.Cycle, _ patient: String, _ transaction: Transaction
    ) throws(PostgresError) -> Int64 {
        try transaction.queryOne(
            CycleStatements.open,
            [.text(patient), .text(cycle.radionuclide), .optional(cycle.administeredAt?.sql)])["id"]
    }

    /// SPECT images of a cycle's administration, in the order of their times; which of them can be used shows when they are
    /// read.
    static func tomographies(
        of cycle: CycleContent.Cycle, _ patient: String, _ runner: some StatementRunner
    ) throws(PostgresError) -> [(id: Int64, fileName: String, isPurged: Bool)] {
        guard let given = cycle.administeredAt else { return [] }
        let parameters: [Parameter] = [.text(patient), .text(given.sql), .double(CycleContent.followUpSeconds)]
        return try runner.query(CycleStatements.tomographies, parameters).map { row throws(PostgresError) in
            (try row["id"], try row["file_name"], try row["is_purged"])
        }
    }

    /// Doses of cycles before this one, in their order.
    static func earlier(
        than cycle: CycleContent.Cycle, _ id: Int64, _ patient: String, _ runner: some StatementRunner
    ) throws(PostgresError) -> [(id: Int64, folder: String)] {
        guard let given = cycle.administeredAt else { return [] }
        let parameters: [Parameter] = [.text(patient), .integer(id), .text(cycle.radionuclide), .text(given.sql)]
        return try runner.query(CycleStatements.earlier, parameters).map { row throws(PostgresError) in
            (try row["id"], try row["folder"])
        }
    }

    private static func revise(
        _ id: Int64, _ standing: Standing, to cycle: CycleContent.Cycle, _ key: String, _ transaction: Transaction
    ) throws(PostgresError) -> (payload: Payload, state: CycleState) {
        let before = Payload(cycleID: id, revision: standing.revision)
        let state: CycleState = cycle.missing == nil ? .ready : .needsInput
        _ = try transaction.query(
            CycleStatements.revise,
            [
                .integer(id), .text(state.rawValue), .optional(cycle.missing?.code),
                .json(JSONText.encode(cycle.missing?.fields ?? [])), .integer(Int64(standing.revision + 1)), .text(key),
                .integers(cycle.usable.map(\.result)),
            ])
        let next = Payload(
            cycleID: id, revision: standing.revision + 1, trace: try trace(of: id, transaction))
        let ledger = JobLedger(transaction)
        let live = try transaction.query(CaseStatements.liveJob, [.text(before.key)]).map { row throws(PostgresError) in
            JobID(rawValue: try row["id"])
        }
        do throws(JobsError) {
            for job in live { _ = try ledger.cancel(job, reason: "revised") }
            if cycle.missing == nil {
                _ = try ledger.enqueue(NewJob(kind: jobKind, payload: JSONText.encode(next), key: next.key))
            }
        } catch { throw error.postgresError ?? .transactionAborted }
        return (next, state)
    }

    /// - Returns: nil for a cycle without any usable study.
    static func trace(of id: Int64, _ runner: some StatementRunner) throws(PostgresError) -> String? {
        try runner.query(CycleStatements.trace, [.integer(id)]).first?["trace"]
    }
}
