import DICOM
import Postgres

/// The SQL of cycles and their doses.
enum CycleStatements {
    /// Patients whose cycles are to be looked through. While a planar study is under way its time point may still come;
    /// after the deadline it is not waited for.
    static let duePatients = Statement(
        "cycle_due_patients",
        """
        SELECT patient_key FROM cycle_due d
        WHERE since < now() - make_interval(secs => $1) OR NOT EXISTS (
            SELECT 1 FROM dose_case c WHERE c.patient_key = d.patient_key AND c.state IN ('ready', 'reconstructing'))
        ORDER BY since LIMIT 100
        """)

    static let takeDue = Statement(
        "cycle_take_due",
        """
        DELETE FROM cycle_due WHERE patient_key =
            (SELECT patient_key FROM cycle_due WHERE patient_key = $1 FOR UPDATE SKIP LOCKED)
        RETURNING patient_key
        """)

    static let note = Statement(
        "cycle_note",
        "INSERT INTO cycle_due (patient_key) VALUES ($1) ON CONFLICT (patient_key) DO UPDATE SET since = now()")

    /// As ``note`` by the patient's cycle. Whoever also takes the cycle's row takes this one first, as assembly does.
    static let noteCycle = Statement(
        "cycle_note_cycle",
        """
        INSERT INTO cycle_due (patient_key) SELECT patient_key FROM cycle WHERE id = $1
        ON CONFLICT (patient_key) DO UPDATE SET since = now()
        """)

    /// As ``note`` when the patient has a cycle and an image that may set the levels of its dose.
    static let noteTomography = Statement(
        "cycle_note_tomography",
        """
        INSERT INTO cycle_due (patient_key) SELECT $1
        WHERE EXISTS (SELECT 1 FROM cycle WHERE patient_key = $1)
          AND EXISTS (SELECT 1 FROM instance
                      WHERE patient_key = $1 AND is_tomographic AND NOT made_here AND purged_at IS NULL)
        ON CONFLICT (patient_key) DO UPDATE SET since = now()
        """)

    /// Tomographic images that were taken within so many seconds after an administration.
    static let tomographies = Statement(
        "cycle_tomographies",
        """
        SELECT id, file_name, purged_at IS NOT NULL AS is_purged FROM instance
        WHERE patient_key = $1 AND is_tomographic AND NOT made_here
          AND acquired_at > extract(epoch FROM $2::timestamp)
          AND acquired_at <= extract(epoch FROM $2::timestamp) + $3
        ORDER BY acquired_at, id
        """)

    /// Of each planar study the latest result, when it was good enough to be sent.
    static let points = Statement(
        "cycle_points",
        """
        SELECT DISTINCT ON (c.id) r.id, r.summary -> 'acquisition' AS acquisition,
            coalesce((r.summary ->> 'calibrated')::boolean, false) AS calibrated
        FROM dose_case c JOIN result r ON r.case_id = c.id AND r.case_revision = c.revision
        WHERE c.patient_key = $1 AND r.summary -> 'acquisition' IS NOT NULL
          AND (c.state IN ('exporting', 'delivered') OR (c.state = 'failed' AND c.reason = 'export-refused'))
        ORDER BY c.id, r.id DESC
        """)

    static let ofPatient = Statement(
        "cycle_of_patient",
        """
        SELECT id, radionuclide, to_char(administered_at, 'YYYYMMDDHH24MISS') AS administered_at, administered_mbq,
            stated_by IS NOT NULL AS is_stated, revision, content_key
        FROM cycle WHERE patient_key = $1 ORDER BY id FOR UPDATE
        """)

    static let open = Statement(
        "cycle_open",
        "INSERT INTO cycle (patient_key, radionuclide, administered_at) VALUES ($1, $2, $3::timestamp) RETURNING id")

    static let revise = Statement(
        "cycle_revise",
        """
        UPDATE cycle SET state = $2, reason = $3, fields = $4, revision = $5, content_key = $6, result_ids = $7,
                         updated_at = now()
        WHERE id = $1
        """)

    /// Doses that count when cycles are added up: of each earlier cycle the latest that somebody or its checks let pass.
    static let earlier = Statement(
        "cycle_earlier",
        """
        SELECT DISTINCT ON (c.administered_at, c.id) d.id, d.folder
        FROM cycle c JOIN dose_result d ON d.cycle_id = c.id
        WHERE c.patient_key = $1 AND c.id <> $2 AND c.radionuclide = $3 AND c.administered_at < $4::timestamp
          AND d.decision IN ('approved', 'automatic')
        ORDER BY c.administered_at, c.id, d.id DESC
        """)

    static let current = Statement(
        "cycle_current",
        """
        SELECT patient_key, radionuclide, to_char(administered_at, 'YYYYMMDDHH24MISS') AS administered_at,
            administered_mbq FROM cycle WHERE id = $1 AND revision = $2
        """)

    /// The results of a cycle's latest revision with the case that each belongs to, in the order of their times.
    static let results = Statement(
        "cycle_results",
        """
        SELECT r.id, r.folder, r.case_id, r.case_revision, r.summary -> 'acquisition' AS acquisition
        FROM cycle c CROSS JOIN LATERAL unnest(c.result_ids) WITH ORDINALITY AS w (id, place)
            JOIN result r ON r.id = w.id
        WHERE c.id = $1 ORDER BY w.place
        """)

    static let insertResult = Statement(
        "dose_result_insert",
        """
        INSERT INTO dose_result (cycle_id, cycle_revision, job_id, folder, summary, decision, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $6::text IS NOT NULL THEN now() END) RETURNING id
        """)

    /// A cycle is followed by the trace of its last planar study.
    static let trace = Statement(
        "cycle_trace",
        """
        SELECT c.trace FROM cycle y JOIN result r ON r.id = y.result_ids[cardinality(y.result_ids)]
            JOIN dose_case c ON c.id = r.case_id
        WHERE y.id = $1
        """)

    static let insertExport = Statement(
        "dose_export_insert",
        """
        INSERT INTO export_item (dose_result_id, destination, output, file_name) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING
        """)

    /// Steps a cycle on while the attempt that does so still holds its job, and only from where a step leads there.
    static let step = Statement(
        "cycle_step",
        """
        UPDATE cycle c SET state = $3, reason = $4, fields = $5, updated_at = now()
        WHERE c.id = $1 AND c.revision = $2 AND c.state = ANY (string_to_array($6, ','))
          AND EXISTS (SELECT 1 FROM job j WHERE j.id = $7 AND j.lease_token = $8)
        """)

    /// As for a case: delivered when every object of the latest dose is confirmed, or stored where that counts.
    static let close = Statement(
        "cycle_close",
        """
        WITH this AS (
            SELECT d.cycle_id, d.cycle_revision, d.id FROM dose_result d JOIN export_item e ON e.dose_result_id = d.id
            WHERE e.id = $1),
        tally AS (
            SELECT t.cycle_id, t.cycle_revision,
                   bool_and(e.state = 'confirmed' OR (e.state = 'stored' AND e.destination = ANY ($2::text[])))
                       AS delivered,
                   bool_or(e.state = 'refused') AND NOT bool_or(e.state IN ('pending', 'sending')) AS failed
            FROM this t JOIN export_item e ON e.dose_result_id = t.id GROUP BY 1, 2)
        UPDATE cycle c
        SET state = CASE WHEN t.delivered THEN 'delivered' ELSE 'failed' END,
            reason = CASE WHEN t.delivered THEN NULL ELSE 'export-refused' END, updated_at = now()
        FROM tally t
        WHERE c.id = t.cycle_id AND c.revision = t.cycle_revision AND c.state = 'exporting'
          AND (t.delivered OR t.failed)
        """)
}

extension LocalTimestamp {
    /// As SQL reads a timestamp without time zone.
    var sql: String {
        let (date, time) = (Array(dicomDate), dicomTime)
        return "\(String(date[0..<4]))-\(String(date[4..<6]))-\(String(date[6..<8])) "
            + "\(time.prefix(2)):\(time.dropFirst(2).prefix(2)):\(time.dropFirst(4))"
    }
}
