import Jobs
import Postgres
import Reconstruction

/// Asks for a patient's own model as soon as his PET and CT are here, before any planar scan is.
enum ModelAssembly {
    static let jobKind = "personalise"

    /// What a training job is about.
    struct Payload: Codable, Equatable {
        let instances: [Int64]
        let contentKey: String
        /// By which the job is followed through the logs.
        var trace: String?

        enum CodingKeys: String, CodingKey {
            case instances, trace
            case contentKey = "content"
        }

        var key: String { "\(ModelAssembly.jobKind)/\(contentKey)" }
    }

    private static let instances = Statement(
        "model_instances",
        """
        SELECT id, modality, study_instance_uid, series_instance_uid, frame_of_reference_uid, birth_key, name_key, sex,
               purged_at IS NOT NULL AS is_purged, trace FROM instance
        WHERE patient_key = $1 AND NOT made_here AND modality IN ('CT', 'PT', 'RTSTRUCT', 'SEG', 'REG') ORDER BY id
        """)

    private static let known = Statement(
        "model_known", "SELECT id FROM model WHERE content_key = $1 AND retired_at IS NULL LIMIT 1")

    /// One that was called off may be asked for again, and one whose model is gone; one that failed for good would fail again.
    private static let latestJob = Statement(
        "model_job",
        """
        SELECT id, state FROM job WHERE key = $1 AND state NOT IN ('cancelled', 'completed') ORDER BY id DESC LIMIT 1
        """)

    private static let others = Statement(
        "model_other_jobs",
        """
        SELECT j.id FROM job j WHERE j.kind = $1 AND j.key <> $2 AND j.state IN ('available', 'running', 'retryable')
          AND EXISTS (SELECT 1 FROM instance i WHERE i.patient_key = $3
                      AND i.id = (j.payload -> 'instances' ->> 0)::bigint)
        """)

    /// What makes a model another one: the patient's objects, the networks that the site asks for, and what cases are now.
    private static func key(_ content: String, _ networks: NetworkPolicy) -> String {
        "\(content)/\(networks.method.rawValue)/\(PersonalDataset.revision)"
    }

    /// - Returns: the training that is under way for what the patient has now; nil when none is.
    static func consider(
        _ patientKey: String, _ networks: NetworkPolicy, in transaction: Transaction
    ) throws(PostgresError) -> JobID? {
        var trace: String?
        var instances: [CaseContent.Instance] = []
        for row in try transaction.query(Self.instances, [.text(patientKey)]) {
            instances.append(try CaseAssembly.instance(row))
            trace = try row["trace"] ?? trace
        }
        let counts = try CaseAssembly.seriesCounts(of: instances, in: transaction)
        guard let content = CaseContent.trainable(among: instances, counts: counts) else { return nil }
        let payload = Payload(instances: content.instances, contentKey: key(content.key, networks), trace: trace)
        if try !transaction.query(known, [.text(payload.contentKey)]).isEmpty { return nil }
        if let row = try transaction.query(latestJob, [.text(payload.key)]).first {
            let state: String = try row["state"]
            let isLive = JobState(rawValue: state).map { !$0.isEnd } ?? false
            return isLive ? JobID(rawValue: try row["id"]) : nil
        }
        let ledger = JobLedger(transaction)
        var outdated: [Int64] = []
        let parameters: [Parameter] = [.text(jobKind), .text(payload.key), .text(patientKey)]
        for row in try transaction.query(others, parameters) { outdated.append(try row["id"]) }
        do throws(JobsError) {
            for id in outdated { _ = try ledger.cancel(JobID(rawValue: id), reason: "revised") }
            return try ledger.enqueue(NewJob(kind: jobKind, payload: JSONText.encode(payload), key: payload.key)).id
        } catch { throw error.postgresError ?? .transactionAborted }
    }
}

/// The SQL of finished models.
enum ModelStatements {
    static let files = Statement(
        "model_files", "SELECT modality, file_name, patient_key FROM instance WHERE id = ANY ($1) ORDER BY id")

    static let insert = Statement(
        "model_insert",
        """
        INSERT INTO model (kind, patient_key, sha256, recipe_sha256, file_name, job_id, content_key, instance_ids, summary)
        VALUES ('personal', $1, $2, $3, $4, $5, $6, $7, $8) RETURNING id
        """)

    /// The newest model of a case's patient that was trained on nothing but what the case holds, and that it is used now.
    static let use = Statement(
        "model_use",
        """
        UPDATE model SET used_at = now() WHERE id = (
            SELECT m.id FROM model m JOIN dose_case c ON c.patient_key = m.patient_key
            WHERE c.id = $1 AND m.retired_at IS NULL AND m.instance_ids <@ c.instance_ids
            ORDER BY m.id DESC LIMIT 1)
        RETURNING id, file_name
        """)

    static let find = Statement("model_find", "SELECT file_name FROM model WHERE id = $1 AND retired_at IS NULL")

    static let retire = Statement(
        "model_retire",
        """
        UPDATE model SET retired_at = now()
        WHERE retired_at IS NULL AND kind = 'personal' AND used_at < now() - make_interval(secs => $1)
        RETURNING file_name
        """)
}
