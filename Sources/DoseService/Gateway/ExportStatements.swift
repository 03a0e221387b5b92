import Postgres

/// The SQL of the outbox.
enum ExportStatements {
    /// The case that an item comes from; of a dose that of its cycle's last planar study. Follows `FROM export_item i`.
    private static let origin = """
        LEFT JOIN dose_result s ON s.id = i.dose_result_id LEFT JOIN cycle y ON y.id = s.cycle_id
        LEFT JOIN result r ON r.id = COALESCE(i.result_id, y.result_ids[cardinality(y.result_ids)])
        LEFT JOIN dose_case c ON c.id = r.case_id
        """

    static let claim = Statement(
        "export_claim",
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM export_item
            WHERE destination = $1
              AND ((state = 'pending' AND next_attempt_at <= now()) OR (state = 'sending' AND sending_until < now()))
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED),
        known AS (
            SELECT i.id, COALESCE(c.id, 0) AS case_id, COALESCE(c.trace, '') AS trace
            FROM due d JOIN export_item i ON i.id = d.id \(origin))
        UPDATE export_item e SET state = 'sending', attempt = e.attempt + 1, sending_owner = $4,
                                 sending_until = now() + make_interval(secs => $3)
        FROM known k WHERE e.id = k.id
        RETURNING e.id, e.attempt, e.file_name, k.case_id, k.trace
        """)

    /// What a service was sending when it died is due at once when it is back.
    static let takeBack = Statement(
        "export_take_back",
        """
        UPDATE export_item SET state = 'pending', sending_until = NULL, last_reason = 'interrupted'
        WHERE state = 'sending' AND sending_owner = $1 AND destination = $2
        """)

    /// A sender that is still at it keeps its items.
    static let renew = Statement(
        "export_renew",
        """
        UPDATE export_item SET sending_until = now() + make_interval(secs => $3)
        WHERE id = ANY ($1) AND state = 'sending' AND sending_owner = $2
        """)

    /// Only the attempt that is still the latest may say how it ended.
    static let record = Statement(
        "export_record",
        """
        UPDATE export_item
        SET state = $3, last_status = $4, last_reason = $5, next_attempt_at = now() + make_interval(secs => $6),
            sending_until = NULL, stored_at = CASE WHEN $3 = 'stored' THEN now() END
        WHERE id = $1 AND attempt = $2 AND state = 'sending'
        """)

    static let dueChecks = Statement(
        "export_due_checks",
        """
        SELECT i.id, i.check_count, i.file_name, COALESCE(c.id, 0) AS case_id, COALESCE(c.trace, '') AS trace
        FROM export_item i \(origin)
        WHERE i.destination = $1 AND i.state = 'stored' AND i.next_attempt_at <= now() ORDER BY i.id LIMIT $2
        """)

    /// What goes out once more does so only as often as any other object.
    static let check = Statement(
        "export_check",
        """
        UPDATE export_item
        SET state = CASE WHEN $2 = 'pending' AND attempt >= $5 THEN 'refused' ELSE $2 END,
            last_reason = $3, next_attempt_at = now() + make_interval(secs => $4),
            check_count = CASE WHEN $2 = 'stored' THEN check_count + 1 ELSE 0 END,
            confirmed_at = CASE WHEN $2 = 'confirmed' THEN now() END
        WHERE id = $1 AND state = 'stored'
        """)

    /// What an archive was asked to commit itself to keep, before it is asked.
    static let ask = Statement(
        "export_ask", "INSERT INTO commitment (transaction_uid, item_id, sop_instance_uid) VALUES ($1, $2, $3)")

    static let asked = Statement(
        "export_asked",
        """
        SELECT m.item_id, m.sop_instance_uid, i.destination, COALESCE(c.id, 0) AS case_id, COALESCE(c.trace, '') AS trace
        FROM commitment m JOIN export_item i ON i.id = m.item_id \(origin)
        WHERE m.transaction_uid = $1 ORDER BY m.item_id FOR UPDATE OF m
        """)

    /// What is confirmed or sent again is not waited for under any name.
    static let forget = Statement("export_forget", "DELETE FROM commitment WHERE item_id = ANY ($1)")

    /// A case is delivered when all objects of its latest result are confirmed, or stored where the archive's word
    /// counts, and has failed when one is refused and none is on its way any more.
    static let closeCase = Statement(
        "export_close_case",
        """
        WITH this AS (
            SELECT r.case_id, r.case_revision, r.id FROM result r JOIN export_item e ON e.result_id = r.id
            WHERE e.id = $1),
        tally AS (
            SELECT t.case_id, t.case_revision,
                   bool_and(e.state = 'confirmed' OR (e.state = 'stored' AND e.destination = ANY ($2::text[])))
                       AS delivered,
                   bool_or(e.state = 'refused') AND NOT bool_or(e.state IN ('pending', 'sending')) AS failed
            FROM this t JOIN export_item e ON e.result_id = t.id GROUP BY 1, 2)
        UPDATE dose_case c
        SET state = CASE WHEN t.delivered THEN 'delivered' ELSE 'failed' END,
            reason = CASE WHEN t.delivered THEN NULL ELSE 'export-refused' END, updated_at = now(),
            delivered_at = CASE WHEN t.delivered THEN now() ELSE c.delivered_at END
        FROM tally t
        WHERE c.id = t.case_id AND c.revision = t.case_revision AND c.state = 'exporting' AND (t.delivered OR t.failed)
        """)
}
