import Postgres

/// The SQL of cases, results and exports.
enum CaseStatements {
    /// Patients for whom something has come: their cases are looked through when nobody brings more and it has been
    /// quiet since, when the wait has become too long, or when somebody does not want to wait.
    static let duePatients = Statement(
        "case_due_patients",
        """
        SELECT patient_key FROM arrival GROUP BY patient_key
        HAVING bool_and(coalesce(ended_at, expires_at) <= now() - make_interval(secs => $1))
            OR min(coalesce(looked_at, began_at)) <= now() - make_interval(secs => $2)
            OR bool_or(forced)
        ORDER BY min(began_at) LIMIT 100
        """)

    /// A patient whose arrivals somebody else holds is somebody else's.
    static let lockArrivals = Statement(
        "case_lock_arrivals",
        "SELECT id FROM arrival WHERE patient_key = $1 ORDER BY id FOR UPDATE SKIP LOCKED")

    /// Every planar image that belongs to no case yet, by its scan's start.
    static let unopened = Statement(
        "case_unopened",
        """
        SELECT i.study_instance_uid, i.acquired_at, i.trace FROM instance i
        WHERE i.modality = 'NM' AND i.patient_key = $1 AND NOT i.made_here AND NOT i.is_tomographic AND NOT EXISTS (
            SELECT 1 FROM dose_case c
            WHERE c.patient_key = i.patient_key AND c.planar_study_uid = i.study_instance_uid
              AND (c.acquired_at IS NULL OR i.acquired_at IS NULL OR abs(c.acquired_at - i.acquired_at) <= $2))
        ORDER BY i.study_instance_uid, i.acquired_at NULLS FIRST, i.id
        """)

    /// Every planar scan is a case, and goes on with the trace of what brought it first.
    static let openNew = Statement(
        "case_open_new",
        """
        INSERT INTO dose_case (patient_key, planar_study_uid, acquired_at, trace)
        VALUES ($1, $2, $3, coalesce($4, replace(gen_random_uuid()::text, '-', ''))) ON CONFLICT DO NOTHING
        """)

    static let ofPatient = Statement(
        "case_of_patient",
        """
        SELECT id, patient_key, planar_study_uid, acquired_at, state, revision, content_key, trace FROM dose_case
        WHERE patient_key = $1 ORDER BY id FOR UPDATE
        """)

    static let ofPatientUnlocked = Statement(
        "case_of_patient_unlocked",
        """
        SELECT id, patient_key, planar_study_uid, acquired_at, state, revision, content_key, trace FROM dose_case
        WHERE patient_key = $1 ORDER BY id
        """)

    /// What has ended was looked through to its last instance; what goes on is looked at again.
    static let closeArrivals = Statement(
        "case_close_arrivals",
        "DELETE FROM arrival WHERE id = ANY ($1) AND (ended_at IS NOT NULL OR expires_at <= now())")

    static let markArrivals = Statement(
        "case_mark_arrivals", "UPDATE arrival SET looked_at = now() WHERE id = ANY ($1)")

    static let instances = Statement(
        "case_instances",
        """
        SELECT id, modality, study_instance_uid, series_instance_uid, frame_of_reference_uid, birth_key, name_key, sex,
               purged_at IS NOT NULL AS is_purged FROM instance
        WHERE patient_key = $1 AND NOT made_here
          AND (modality IN ('CT', 'PT', 'RTSTRUCT', 'SEG', 'REG')
               OR (sop_class_uid = $5 AND ($3::float8 IS NULL OR acquired_at IS NULL
                                           OR acquired_at BETWEEN $3 - $6 AND $3))
               OR (modality = 'NM' AND study_instance_uid = $2 AND NOT is_tomographic
                   AND ($3::float8 IS NULL OR acquired_at IS NULL OR abs(acquired_at - $3) <= $4)))
        ORDER BY id
        """)

    /// Whoever brought instances, by the traces in their own lines of log.
    static let bringers = Statement(
        "case_bringers",
        "SELECT DISTINCT trace FROM instance WHERE id = ANY ($1) AND trace IS NOT NULL ORDER BY trace LIMIT 20")

    static let answers = Statement(
        "case_answers",
        "SELECT DISTINCT ON (field) field, value FROM case_answer WHERE case_id = $1 ORDER BY field, id DESC")

    static let insertAnswer = Statement(
        "case_answer_insert", "INSERT INTO case_answer (case_id, field, value, actor) VALUES ($1, $2, $3, $4)")

    static let patientOf = Statement("case_patient_of", "SELECT patient_key FROM dose_case WHERE id = $1")

    static let seriesCounts = Statement(
        "case_series_counts",
        "SELECT series_instance_uid, instance_count FROM series_count WHERE series_instance_uid = ANY ($1)")

    static let assemble = Statement(
        "case_assemble",
        """
        UPDATE dose_case SET state = $2, reason = $3, fields = $4, revision = $5, content_key = $6, instance_ids = $7,
                             assembled_at = now(), updated_at = now()
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
        UPDATE dose_case c SET state = $3, reason = $4, fields = $5, updated_at = now(),
                               delivered_at = CASE WHEN $3 = 'delivered' THEN now() ELSE c.delivered_at END
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
