package import Jobs
package import Postgres

/// Why a case cannot be steered as somebody wants.
package enum CaseActionError: Error, Equatable, Sendable {
    case database(PostgresError)
    case jobs(JobsError)
    case unknownCase
    /// The case does not stand where this can be done.
    case stateForbids(CaseState)
    /// Nothing is left of the result that could be sent.
    case resultGone
    case unknownCycle
    case cycleStateForbids(CycleState)
    /// An image of the cycle was taken before what is said to have been administered.
    case administeredAfterImage
}

extension CaseActionError: PostgresFailure {
    package init(_ error: PostgresError) { self = .database(error) }

    package var postgresError: PostgresError? {
        switch self {
        case .database(let error): error
        case .jobs(let error): error.postgresError
        case .unknownCase, .stateForbids, .resultGone, .unknownCycle, .cycleStateForbids, .administeredAfterImage: nil
        }
    }
}

/// What people decide about cases. Each is part of its caller's transaction.
enum CaseActions {
    private static let lock = Statement(
        "case_action_lock", "SELECT state, revision, trace FROM dose_case WHERE id = $1 FOR UPDATE")

    private static let step = Statement(
        "case_action_step",
        """
        UPDATE dose_case SET state = $2, reason = $3, fields = '[]', updated_at = now()
        WHERE id = $1 AND revision = $4 AND state = ANY (string_to_array($5, ','))
        """)

    private static let latestResult = Statement(
        "case_action_result",
        "SELECT id, folder FROM result WHERE case_id = $1 AND case_revision = $2 ORDER BY id DESC LIMIT 1")

    private static let jobPayload = Statement(
        "case_action_payload", "SELECT payload FROM job WHERE id = $1 AND kind = $2")

    private struct Standing {
        var state: CaseState
        let revision: Int
        let trace: String
    }

    /// Asks for a reconstruction of what the case holds now, or finds the one that is under way.
    static func reconstruct(
        _ id: Int64, priority: Int16, _ transaction: Transaction
    ) throws(CaseActionError) -> JobID {
        let standing = try standing(id, transaction)
        // A case that has never been put together has nothing to reconstruct.
        guard standing.revision > 0, standing.state != .collecting else { throw .stateForbids(standing.state) }
        let payload = CaseAssembly.Payload(caseID: id, revision: standing.revision, trace: standing.trace)
        let job: EnqueuedJob
        do throws(JobsError) {
            job = try JobLedger(transaction).enqueue(
                NewJob(
                    kind: CaseAssembly.jobKind, payload: JSONText.encode(payload), key: payload.key, priority: priority)
            )
        } catch { throw .jobs(error) }
        if job.isNew { try step(id, standing, to: .ready, reason: nil, transaction) }
        return job.id
    }

    /// Sends the latest result although it failed a check.
    ///
    /// - Returns: where the case stands now.
    static func approve(
        _ id: Int64, store: ObjectStore, destinations: [ServiceSettings.Destination], _ transaction: Transaction
    ) throws(CaseActionError) -> CaseState {
        let standing = try standing(id, transaction)
        guard standing.state == .review else { throw .stateForbids(standing.state) }
        let count = try export(id, standing, store, destinations, transaction)
        let next: CaseState = count == 0 ? .delivered : .exporting
        // A case of which nothing is sent is done as soon as somebody has agreed.
        try step(id, standing, to: .exporting, reason: nil, transaction)
        if next == .delivered {
            var exporting = standing
            exporting.state = .exporting
            try step(id, exporting, to: next, reason: nil, transaction)
        }
        return next
    }

    /// - Returns: how many objects are to be sent.
    private static func export(
        _ id: Int64, _ standing: Standing, _ store: ObjectStore, _ destinations: [ServiceSettings.Destination],
        _ transaction: Transaction
    ) throws(CaseActionError) -> Int {
        let (result, folder): (Int64, String)
        do throws(PostgresError) {
            let parameters: [Parameter] = [.integer(id), .integer(Int64(standing.revision))]
            let row = try transaction.queryOne(latestResult, parameters)
            (result, folder) = (try row["id"], try row["folder"])
        } catch { throw .database(error) }
        let objects = ResultObjects.files(in: "\(store.results)/\(folder)")
        // What is not there must not pass for what nobody wants.
        guard !objects.isEmpty else { throw .resultGone }
        do throws(PostgresError) {
            return try ReconstructionJobs.insertExports(
                objects, of: result, in: folder, destinations: destinations, transaction)
        } catch { throw .database(error) }
    }

    /// Keeps the latest result from being sent.
    static func reject(_ id: Int64, _ transaction: Transaction) throws(CaseActionError) {
        let standing = try standing(id, transaction)
        guard standing.state == .review else { throw .stateForbids(standing.state) }
        try step(id, standing, to: .failed, reason: "rejected", transaction)
    }

    /// The case of a job that was called off does not wait for it any more.
    static func jobCancelled(_ job: JobID, _ transaction: Transaction) throws(PostgresError) {
        try follow(job, to: .failed, reason: "cancelled", from: [.ready, .reconstructing], transaction)
    }

    /// The case of a job that is tried again waits for it.
    static func jobRetried(_ job: JobID, _ transaction: Transaction) throws(PostgresError) {
        let from = CaseState.allCases.filter { $0.successors.contains(.ready) && $0 != .reconstructing }
        try follow(job, to: .ready, reason: nil, from: from, transaction)
    }

    private static func follow(
        _ job: JobID, to state: CaseState, reason: String?, from states: [CaseState], _ transaction: Transaction
    ) throws(PostgresError) {
        let parameters: [Parameter] = [.integer(job.rawValue), .text(CaseAssembly.jobKind)]
        guard let row = try transaction.query(jobPayload, parameters).first,
            let payload = JSONText.decode(CaseAssembly.Payload.self, from: try row["payload"])
        else { return }
        try transaction.query(
            step,
            [
                .integer(payload.caseID), .text(state.rawValue), .optional(reason), .integer(Int64(payload.revision)),
                .text(states.map(\.rawValue).joined(separator: ",")),
            ])
    }

    private static func standing(_ id: Int64, _ transaction: Transaction) throws(CaseActionError) -> Standing {
        var found: Standing?
        do throws(PostgresError) {
            if let row = try transaction.query(lock, [.integer(id)]).first,
                let state = CaseState(rawValue: try row["state"])
            {
                found = Standing(state: state, revision: try row["revision"], trace: try row["trace"])
            }
        } catch { throw .database(error) }
        guard let found else { throw .unknownCase }
        return found
    }

    private static func step(
        _ id: Int64, _ standing: Standing, to state: CaseState, reason: String?, _ transaction: Transaction
    ) throws(CaseActionError) {
        guard standing.state == state || standing.state.successors.contains(state) else {
            throw .stateForbids(standing.state)
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
