import Postgres

/// The SQL of asking archives.
enum SearchStatements {
    static let noteCount = Statement(
        "series_count_note",
        """
        INSERT INTO series_count (series_instance_uid, instance_count, peer) VALUES ($1, $2, $3)
        ON CONFLICT (series_instance_uid) DO UPDATE
        SET instance_count = CASE WHEN series_count.peer = excluded.peer THEN excluded.instance_count
                                  ELSE greatest(series_count.instance_count, excluded.instance_count) END,
            peer = excluded.peer, asked_at = now()
        """)

    /// Cases that miss what this archive may have and has not been asked for, or is due to be asked for once more.
    static let claim = Statement(
        "case_fetch_claim",
        """
        INSERT INTO case_fetch (case_id, revision, peer, next_attempt_at)
        SELECT c.id, c.revision, $1, now() + make_interval(secs => $2)
        FROM dose_case c LEFT JOIN case_fetch f ON f.case_id = c.id AND f.revision = c.revision AND f.peer = $1
        WHERE c.state = 'needs-input'
          AND c.reason IN ('pt-missing', 'ct-missing', 'series-incomplete', 'sources-purged', 'ct-shorter-than-pt')
          AND (f.case_id IS NULL OR (f.next_attempt_at <= now() AND f.attempt < $3))
        ORDER BY c.id LIMIT 4
        ON CONFLICT (case_id, revision, peer) DO UPDATE
        SET attempt = case_fetch.attempt + 1, outcome = 'asked',
            next_attempt_at = now() + make_interval(secs => $2 * 2 ^ case_fetch.attempt)
        RETURNING case_id, revision, attempt,
                  (SELECT reason FROM dose_case d WHERE d.id = case_fetch.case_id) AS reason,
                  (SELECT trace FROM dose_case d WHERE d.id = case_fetch.case_id) AS trace
        """)

    /// What has been sent makes a new revision when it changes the case; asked again it would be sent again.
    static let record = Statement(
        "case_fetch_record",
        """
        UPDATE case_fetch SET outcome = $4, next_attempt_at = CASE WHEN $4 = 'sent' THEN NULL ELSE next_attempt_at END
        WHERE case_id = $1 AND revision = $2 AND peer = $3
        """)

    /// The series of a case of which more is wanted, for the reason that it waits for.
    static let series = Statement(
        "case_fetch_series",
        """
        SELECT i.study_instance_uid, i.series_instance_uid, i.modality
        FROM dose_case c JOIN instance i ON i.id = ANY (c.instance_ids)
             LEFT JOIN series_count s USING (series_instance_uid)
        WHERE c.id = $1 GROUP BY 1, 2, 3, s.instance_count
        HAVING CASE $2 WHEN 'sources-purged' THEN bool_or(i.purged_at IS NOT NULL)
                       WHEN 'series-incomplete' THEN s.instance_count > count(*)
                       ELSE i.modality = 'CT' END
        ORDER BY 2
        """)

    static let planar = Statement(
        "case_fetch_planar",
        """
        SELECT i.file_name FROM dose_case c JOIN instance i
            ON i.patient_key = c.patient_key AND i.study_instance_uid = c.planar_study_uid
        WHERE c.id = $1 AND i.modality = 'NM' AND i.purged_at IS NULL ORDER BY i.id LIMIT 1
        """)
}
