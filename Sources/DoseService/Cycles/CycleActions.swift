import DICOM
import Jobs
import Postgres

/// What people decide about cycles. Each is part of its caller's transaction.
enum CycleActions {
    private static let lock = Statement(
        "cycle_action_lock", "SELECT state, revision FROM cycle WHERE id = $1 FOR UPDATE")

    private static let step = Statement(
        "cycle_action_step",
        """
        UPDATE cycle SET state = $2, reason = $3, fields = '[]', updated_at = now()
        WHERE id = $1 AND revision = $4 AND state = ANY (string_to_array($5, ','))
        """)

    private static let decide = Statement(
        "cycle_action_decide",
        """
        UPDATE dose_result SET decision = $3, decided_by = $4, decided_at = now()
        WHERE id = (SELECT max(id) FROM dose_result WHERE cycle_id = $1 AND cycle_revision = $2)
        RETURNING id, folder
        """)

    private static let state = Statement(
        "cycle_action_state",
        """
        UPDATE cycle SET administered_at = coalesce($2::timestamp, administered_at),
            administered_mbq = coalesce($3, administered_mbq), stated_by = $4, updated_at = now()
        WHERE id = $1
        """)

    private static let jobPayload = Statement(
        "cycle_action_payload", "SELECT payload FROM job WHERE id = $1 AND kind = $2")

    private static let firstImage = Statement(
        "cycle_action_first_image",
        """
        SELECT min(r.summary -> 'acquisition' ->> 'acquired_at') AS acquired_at
        FROM cycle c JOIN result r ON r.id = ANY (c.result_ids) WHERE c.id = $1
        """)

    private struct Standing {
        let state: CycleState
        let revision: Int
    }

    /// Asks for the dose of what the cycle holds now, or finds the job that is under way.
    static func compute(_ id: Int64, priority: Int16, _ transaction: Transaction) throws(CaseActionError) -> JobID {
        let standing = try standing(id, transaction)
        // A cycle that has never been put together, or lacks something, has nothing to compute from.
        guard standing.revision > 0, ![.collecting, .needsInput].contains(standing.state) else {
            throw .cycleStateForbids(standing.state)
        }
        let payload: CycleAssembly.Payload
        do throws(PostgresError) {
            payload = CycleAssembly.Payload(
                cycleID: id, revision: standing.revision, trace: try CycleAssembly.trace(of: id, transaction))
        } catch { throw .database(error) }
        let job: EnqueuedJob
        do throws(JobsError) {
            job = try JobLedger(transaction).enqueue(
                NewJob(
                    kind: CycleAssembly.jobKind, payload: JSONText.encode(payload), key: payload.key,
                    priority: priority))
        } catch { throw .jobs(error) }
        if job.isNew { try step(id, standing, to: .ready, reason: nil, transaction) }
        return job.id
    }

    /// Sends the latest dose.
    ///
    /// - Parameter actor: who decides.
    static func approve(
        _ id: Int64, by actor: String, destinations: [ServiceSettings.Destination], _ transaction: Transaction
    ) throws(CaseActionError) {
        // Later cycles add up what is approved now.
        try note(id, transaction)
        let standing = try standing(id, transaction)
        guard standing.state == .review else { throw .cycleStateForbids(standing.state) }
        do throws(PostgresError) {
            let row = try decide(.approved, actor, id, standing, transaction)
            try DoseJobs.insertExports(
                dose: try row["id"], folder: try row["folder"], destinations: destinations, transaction)
        } catch { throw .database(error) }
        try step(id, standing, to: .exporting, reason: nil, transaction)
        // A cycle of which nothing is sent is done as soon as somebody has agreed.
        guard !DoseJobs.isAnythingSent(to: destinations) else { return }
        let agreed = Standing(state: .exporting, revision: standing.revision)
        try step(id, agreed, to: .delivered, reason: nil, transaction)
    }

    /// Keeps the latest dose from being sent; one that went out before it stays what it is.
    static func reject(_ id: Int64, by actor: String, _ transaction: Transaction) throws(CaseActionError) {
        let standing = try standing(id, transaction)
        guard standing.state == .review else { throw .cycleStateForbids(standing.state) }
        do throws(PostgresError) { _ = try decide(.rejected, actor, id, standing, transaction) } catch {
            throw .database(error)
        }
        try step(id, standing, to: .failed, reason: "rejected", transaction)
    }

    private static func note(_ id: Int64, _ transaction: Transaction) throws(CaseActionError) {
        do throws(PostgresError) { _ = try transaction.query(CycleStatements.noteCycle, [.integer(id)]) } catch {
            throw .database(error)
        }
    }

    /// - Returns: the row of the latest dose.
    private static func decide(
        _ decision: DoseDecision, _ actor: String, _ id: Int64, _ standing: Standing, _ transaction: Transaction
    ) throws(PostgresError) -> Row {
        try transaction.queryOne(
            decide,
            [
                .integer(id), .integer(Int64(standing.revision)), .text(decision.rawValue), .text(actor),
            ])
    }

    /// Takes a person's word for what the images' files do not say, and has the patient's cycles looked through again.
    static func state(
        _ id: Int64, administeredAt: LocalTimestamp?, megabecquerel: Double?, actor: String, _ transaction: Transaction
    ) throws(CaseActionError) {
        try note(id, transaction)
        _ = try standing(id, transaction)
        if let administeredAt {
            let first: String?
            do throws(PostgresError) {
                first = try transaction.queryOne(firstImage, [.integer(id)])["acquired_at"]
            } catch { throw .database(error) }
            let image = first.flatMap { LocalTimestamp(dateTime: $0) }
            guard image.map({ $0.seconds(since: administeredAt) > 0 }) ?? true else { throw .administeredAfterImage }
        }
        do throws(PostgresError) {
            _ = try transaction.query(
                state, [.integer(id), .optional(administeredAt?.sql), .optional(megabecquerel), .text(actor)])
        } catch { throw .database(error) }
    }

    /// The cycle of a job that was called off does not wait for it any more.
    static func jobCancelled(_ job: JobID, _ transaction: Transaction) throws(PostgresError) {
        try follow(job, to: .failed, reason: "cancelled", from: [.ready, .computing], transaction)
    }

    /// The cycle of a job that is tried again waits for it.
    static func jobRetried(_ job: JobID, _ transaction: Transaction) throws(PostgresError) {
        let from = CycleState.allCases.filter { $0.successors.contains(.ready) && $0 != .computing }
        try follow(job, to: .ready, reason: nil, from: from, transaction)
    }

    private static func follow(
        _ job: JobID, to state: CycleState, reason: String?, from states: [CycleState], _ transaction: Transaction
    ) throws(PostgresError) {
        let parameters: [Parameter] = [.integer(job.rawValue), .text(CycleAssembly.jobKind)]
        guard let row = try transaction.query(jobPayload, parameters).first,
            let payload = JSONText.decode(CycleAssembly.Payload.self, from: try row["payload"])
        else { return }
        try transaction.query(
            step,
            [
                .integer(payload.cycleID), .text(state.rawValue), .optional(reason), .integer(Int64(payload.revision)),
                .text(states.map(\.rawValue).joined(separator: ",")),
            ])
    }

    private static func standing(_ id: Int64, _ transaction: Transaction) throws(CaseActionError) -> Standing {
        var found: Standing?
        do throws(PostgresError) {
            if let row = try transaction.query(lock, [.integer(id)]).first,
                let state = CycleState(rawValue: try row["state"])
            {
                found = Standing(state: state, revision: try row["revision"])
            }
        } catch { throw .database(error) }
        guard let found else { throw .unknownCycle }
        return found
    }

    private static func step(
        _ id: Int64, _ standing: Standing, to state: CycleState, reason: String?, _ transaction: Transaction
    ) throws(CaseActionError) {
        guard standing.state == state || standing.state.successors.contains(state) else {
            throw .cycleStateForbids(standing.state)
        }
        do throws(PostgresError) {
            try transaction.query(
                step,
                [
                    .integer(id), .text(state.rawValue), .optional(reason), .integer(Int64(standing.revision)),
                    .text(standing.state.rawValue),
                ])
        } catch { throw .database(error) }
    }
}
