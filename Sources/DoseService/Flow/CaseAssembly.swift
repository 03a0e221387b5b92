import Jobs
import Logging
import Postgres

/// Puts cases together: looks which instances belong to a planar study once it is quiet around its patient, and asks for
/// its reconstruction when nothing is missing.
///
/// Late instances make a new revision, and the job of the revision before is called off. Several services may do this side
/// by side: a case is looked through under its row's lock.
struct CaseAssembly: Sendable {
    static let jobKind = "reconstruct"
    /// How often is looked.
    static let period = Duration.seconds(1)

    let pool: Pool
    let quietTime: Duration
    let log: Logger

    /// What a reconstruction job is about.
    struct Payload: Codable, Equatable {
        let caseID: Int64
        let revision: Int

        enum CodingKeys: String, CodingKey {
            case revision
            case caseID = "case"
        }

        var key: String { "\(CaseAssembly.jobKind)/\(caseID)/\(revision)" }
    }

    /// Looks until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(JobsError) {
                for id in try await dueCases() { try await assemble(id) }
            } catch { log.error("case assembly failed", metadata: ["error": "\(error)"]) }
            // Cancelled meanwhile: the loop's condition ends it.
            try? await Task.sleep(for: Self.period)
        }
    }

    private func dueCases() async throws(JobsError) -> [Int64] {
        let quiet = quietTime
        return try await pool.run { (connection) throws(JobsError) in
            do throws(PostgresError) {
                _ = try connection.query(CaseStatements.openNew)
                return try connection.query(CaseStatements.due, [.seconds(quiet)]).map { row throws(PostgresError) in
                    try row["id"]
                }
            } catch { throw JobsError(error) }
        }
    }

    private func assemble(_ id: Int64) async throws(JobsError) {
        let outcome: String? = try await pool.transaction { (transaction) throws(JobsError) in
            do throws(PostgresError) {
                guard let row = try transaction.query(CaseStatements.lock, [.integer(id)]).first else { return nil }
                let rows = try transaction.query(
                    CaseStatements.instances,
                    [.text(try row["patient_key"]), .text(try row["planar_study_uid"])])
                var newest = 0.0
                var instances: [CaseContent.Instance] = []
                for row in rows {
                    newest = max(newest, try row["received_at"])
                    instances.append(
                        CaseContent.Instance(
                            id: try row["id"], modality: try row["modality"], series: try row["series_instance_uid"],
                            frameOfReference: try row["frame_of_reference_uid"]))
                }
                _ = try transaction.query(CaseStatements.seen, [.integer(id), .double(newest)])
                let content = CaseContent(choosingFrom: instances)
                let known: String? = try row["content_key"]
                guard content.key != known else { return nil }
                let revision: Int = try row["revision"]
                return try Self.revise(id, from: revision, to: content, in: transaction)
            } catch { throw JobsError(error) }
        }
        if let outcome { log.info("case assembled", metadata: ["case": "\(id)", "state": "\(outcome)"]) }
    }

    private static func revise(
        _ id: Int64, from revision: Int, to content: CaseContent, in transaction: Transaction
    ) throws(PostgresError) -> String {
        let next = Payload(caseID: id, revision: revision + 1)
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
                _ = try ledger.enqueue(NewJob(kind: jobKind, payload: JSONText.encode(next), key: next.key))
            }
        } catch { throw error.postgresError ?? .transactionAborted }
        let state: CaseState = content.missing == nil ? .ready : .needsInput
        _ = try transaction.query(
            CaseStatements.assemble,
            [
                .integer(id), .text(state.rawValue), .optional(content.missing?.code),
                .json(JSONText.encode(content.missing?.fields ?? [])), .integer(Int64(next.revision)),
                .text(content.key), .integers(content.instances),
            ])
        return state.rawValue
    }
}
