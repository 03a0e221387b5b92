import Postgres

/// The SQL of cases, results and exports.
enum CaseStatements {
    /// Every planar study is a case.
    static let openNew = Statement(
        "case_open_new",
        """
        INSERT INTO dose_case (patient_key, planar_study_uid)
        SELECT DISTINCT i.patient_key, i.study_instance_uid FROM instance i
        WHERE i.modality = 'NM' AND NOT EXISTS (
            SELECT 1 FROM dose_case c
            WHERE c.patient_key = i.patient_key AND c.planar_study_uid = i.study_instance_uid)
        ON CONFLICT DO NOTHING
        """)

    /// Cases for whose patient something has come since they were looked through, and nothing within the quiet time.
    static let due = Statement(
        "case_due",
        """
        SELECT c.id FROM dose_case c
        WHERE EXISTS (SELECT 1 FROM instance i WHERE i.patient_key = c.patient_key
                      AND (c.assembled_at IS NULL OR i.received_at > c.assembled_at))
          AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.patient_key = c.patient_key
                          AND i.received_at > now() - make_interval(secs => $1))
        ORDER BY c.id LIMIT 100
        """)

    static let lock = Statement(
        "case_lock",
        """
        SELECT patient_key, planar_study_uid, state, revision, content_key FROM dose_case
        WHERE id = $1 FOR UPDATE SKIP LOCKED
        """)

    static let instances = Statement(
        "case_instances",
        """
        SELECT id, modality, study_instance_uid, series_instance_uid, frame_of_reference_uid, received_at FROM instance
        WHERE patient_key = $1 AND (modality IN ('CT', 'PT', 'RTSTRUCT') OR (modality = 'NM' AND study_instance_uid = $2))
        ORDER BY id
        """)

    static let seen = Statement("case_seen", "UPDATE dose_case SET assembled_at = to_timestamp($2) WHERE id = $1")

    static let assemble = Statement(
        "case_assemble",
        """
        UPDATE dose_case SET state = $2, reason = $3, fields = $4, revision = $5, content_key = $6, instance_ids = $7,
                             updated_at = now()
        WHERE id = $1
        """)

    static let liveJob = Statement(
        "case_live_job",
        "SELECT id FROM job WHERE key = $1 AND state IN ('available', 'running', 'retryable')")

    static let files = Statement(
        "case_files",
        """
        SELECT i.modality, i.file_name FROM dose_case c JOIN instance i ON i.id = ANY (c.instance_ids)
        WHERE c.id = $1 AND c.revision = $2 ORDER BY i.id
        """)

    /// Steps a case on while the attempt that does so still holds its job, and only from where a step leads there.
    static let step = Statement(
        "case_step",
        """
        UPDATE dose_case c SET state = $3, reason = $4, fields = $5, updated_at = now()
        WHERE c.id = $1 AND c.revision = $2 AND c.state = ANY (string_to_array($6, ','))
          AND EXISTS (SELECT 1 FROM job j WHERE j.id = $7 AND j.lease_token = $8)
        """)

    static let insertResult = Statement(
        "result_insert",
        """
        INSERT INTO result (case_id, case_revision, job_id, folder, summary) VALUES ($1, $2, $3, $4, $5) RETURNING id
        """)

    static let insertExport = Statement(
        "export_insert",
        """
        INSERT INTO export_item (result_id, destination, output, file_name) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING
        """)
}
