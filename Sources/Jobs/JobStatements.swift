import Postgres

/// The SQL that moves jobs. Each move is one statement: the row, its log entry and its notification come together.
///
/// A SELECT in a WITH clause runs only when it is read, so every `pg_notify` stands in the outermost one.
enum JobStatements {
    /// No row when a live job has the key and began after this statement did.
    static let enqueue = Statement(
        "job.enqueue",
        """
        WITH added AS (
            INSERT INTO job (kind, key, priority, payload, attempt_limit, run_at, depends_on)
            VALUES ($1, $2, $3, $4::jsonb, $5, now() + make_interval(secs => $6), $7)
            ON CONFLICT (key) WHERE key IS NOT NULL AND state IN ('available', 'running', 'retryable') DO NOTHING
            RETURNING id, kind
        ), logged AS (
            INSERT INTO job_log (job_id, event, attempt) SELECT id, 'enqueued', 0 FROM added
        )
        SELECT id, true AS is_new, pg_notify('job_available', kind)::text FROM added
        UNION ALL
        SELECT id, false, NULL FROM job
        WHERE key = $2 AND state IN ('available', 'running', 'retryable') AND NOT EXISTS (SELECT FROM added)
        """)

    /// The CTE keeps the planner from running the subquery again for every row. The limit stands in the text: with a
    /// parameter for it PostgreSQL plans the statement anew each time, which costs more than the claim.
    static func claim(limit: Int) -> Statement {
        Statement(
            "job.claim.\(limit)",
            """
            WITH next AS MATERIALIZED (
                SELECT id FROM job
                WHERE state = 'available' AND kind = ANY($1::text[]) AND run_at <= now()
                  AND (depends_on IS NULL OR NOT EXISTS (
                      SELECT FROM job earlier
                      WHERE earlier.id = job.depends_on AND earlier.state IN ('available', 'running', 'retryable')))
                ORDER BY priority, run_at, id LIMIT \(limit) FOR UPDATE SKIP LOCKED
            ), claimed AS (
                UPDATE job SET state = 'running', attempt = attempt + 1, lease_token = nextval('lease_token'),
                    lease_owner = $2, lease_expires_at = now() + make_interval(secs => $3),
                    deadline_at = now() + make_interval(secs => $4), started_at = now(), progress = NULL, stage = NULL,
                    reason = NULL, revision = revision + 1
                FROM next WHERE job.id = next.id
                RETURNING job.*
            ), logged AS (
                INSERT INTO job_log (job_id, event, attempt, lease_token, owner)
                SELECT id, 'claimed', attempt, lease_token, lease_owner FROM claimed
            )
            SELECT id, kind, key, payload, attempt, attempt_limit, rescue_count, lease_token
            FROM claimed ORDER BY priority, run_at, id
            """)
    }

    /// All jobs of a worker at once; a row that does not come back is lost.
    static let heartbeat = Statement(
        "job.heartbeat",
        """
        UPDATE job SET lease_expires_at = least(now() + make_interval(secs => $5), deadline_at),
            progress = coalesce(beat.progress, job.progress), stage = coalesce(beat.stage, job.stage),
            revision = revision + CASE
                WHEN (coalesce(beat.progress, job.progress), coalesce(beat.stage, job.stage))
                    IS DISTINCT FROM (job.progress, job.stage) THEN 1 ELSE 0 END
        FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::text[]) AS beat (id, token, progress, stage)
        WHERE job.id = beat.id AND job.lease_token = beat.token AND job.state = 'running' AND job.deadline_at > now()
        RETURNING job.id, job.cancel_requested
        """)

    /// $3 is what the worker wants; where the job goes is decided here, under the row's lock.
    static let finish = Statement(
        "job.finish",
        """
        WITH held AS MATERIALIZED (
            SELECT id, attempt, CASE
                WHEN cancel_requested THEN 'cancelled'
                WHEN $3 = 'retry' AND attempt >= attempt_limit THEN 'discarded'
                WHEN $3 = 'retry' THEN 'retryable'
                WHEN $3 IN ('snooze', 'give_back') THEN 'available'
                ELSE $3 END AS next
            FROM job WHERE id = $1 AND lease_token = $2 AND state = 'running' FOR UPDATE
        ), changed AS (
            UPDATE job SET state = next,
                attempt = held.attempt - CASE WHEN next = 'available' THEN 1 ELSE 0 END,
                run_at = CASE WHEN next = 'retryable' OR $3 = 'snooze' THEN now() + make_interval(secs => $6)
                    ELSE run_at END,
                result = CASE WHEN next = 'completed' THEN $4::jsonb END,
                progress = CASE WHEN next = 'completed' THEN 1 ELSE progress END,
                reason = $5, lease_owner = NULL, lease_expires_at = NULL, deadline_at = NULL,
                finished_at = CASE WHEN next IN ('completed', 'discarded', 'cancelled') THEN now() END,
                revision = revision + 1
            FROM held WHERE job.id = held.id
            RETURNING job.id, job.state, job.attempt, job.lease_token, job.reason
        ), logged AS (
            INSERT INTO job_log (job_id, event, attempt, lease_token, reason)
            SELECT id, CASE WHEN state = 'available' THEN $3 ELSE state END, attempt, lease_token, reason FROM changed
        )
        SELECT state, pg_notify('job_changed', id::text)::text FROM changed
        """)

    static let noteFenced = Statement(
        "job.note_fenced",
        """
        INSERT INTO job_log (job_id, event, attempt, lease_token)
        SELECT id, 'fenced', attempt, $2 FROM job WHERE id = $1
        """)

    /// PostgreSQL tries the constraints on the row of the statement's snapshot before it finds that the row has changed
    /// since, so whatever a constraint joins must come from the locked row together.
    static let cancel = Statement(
        "job.cancel",
        """
        WITH held AS MATERIALIZED (
            SELECT id, state, lease_expires_at, cancel_requested FROM job
            WHERE id = $1 AND state IN ('available', 'running', 'retryable') FOR UPDATE
        ), changed AS (
            UPDATE job SET cancel_requested = true,
                state = CASE WHEN held.state = 'running' THEN 'running' ELSE 'cancelled' END,
                lease_expires_at = CASE WHEN held.state = 'running' THEN held.lease_expires_at END,
                reason = CASE WHEN held.state = 'running' THEN reason ELSE $2 END,
                finished_at = CASE WHEN held.state = 'running' THEN NULL ELSE now() END,
                revision = revision + CASE WHEN held.cancel_requested THEN 0 ELSE 1 END
            FROM held WHERE job.id = held.id
            RETURNING job.id, job.state, job.attempt, job.lease_token, held.cancel_requested AS was_requested
        ), logged AS (
            INSERT INTO job_log (job_id, event, attempt, lease_token, reason)
            SELECT id, CASE WHEN state = 'running' THEN 'cancel_requested' ELSE 'cancelled' END, attempt, lease_token, $2
            FROM changed WHERE NOT was_requested
        )
        SELECT state, pg_notify('job_changed', id::text)::text FROM changed
        """)

    /// A job that waits is tried now.
    static let hasten = Statement(
        "job.hasten",
        """
        WITH changed AS (
            UPDATE job SET state = 'available', run_at = least(run_at, now()), revision = revision + 1
            WHERE id = $1 AND state IN ('available', 'retryable')
            RETURNING id, kind, attempt
        ), logged AS (
            INSERT INTO job_log (job_id, event, attempt) SELECT id, 'hastened', attempt FROM changed
        )
        SELECT id, pg_notify('job_available', kind)::text FROM changed
        """)

    static let prioritise = Statement(
        "job.prioritise",
        """
        WITH changed AS (
            UPDATE job SET priority = $2, revision = revision + 1
            WHERE id = $1 AND state IN ('available', 'running', 'retryable')
            RETURNING id, kind, attempt
        ), logged AS (
            INSERT INTO job_log (job_id, event, attempt) SELECT id, 'prioritised', attempt FROM changed
        )
        SELECT id, pg_notify('job_available', kind)::text FROM changed
        """)

    /// An ended job stays as it ended; its successor is a new one.
    static let repeatEnded = Statement(
        "job.repeat",
        """
        WITH added AS (
            INSERT INTO job (kind, key, priority, payload, attempt_limit, run_at, retry_of)
            SELECT kind, key, priority, payload, attempt_limit, now(), id FROM job
            WHERE id = $1 AND state IN ('discarded', 'cancelled')
            ON CONFLICT (key) WHERE key IS NOT NULL AND state IN ('available', 'running', 'retryable') DO NOTHING
            RETURNING id, kind
        ), logged AS (
            INSERT INTO job_log (job_id, event, attempt) SELECT id, 'enqueued', 0 FROM added
        )
        SELECT id, pg_notify('job_available', kind)::text FROM added
        """)

    /// The lock is taken where the decision is made, so that a cancel asked for a moment before is seen.
    static let reap = Statement(
        "job.reap",
        """
        WITH ended AS MATERIALIZED (
            SELECT id, CASE WHEN cancel_requested THEN 'cancelled' WHEN rescue_count + 1 >= $1 THEN 'discarded'
                ELSE 'available' END AS next
            FROM job WHERE state = 'running' AND lease_expires_at < now()
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
        ), changed AS (
            UPDATE job SET state = next, rescue_count = rescue_count + 1,
                attempt = attempt - CASE WHEN next = 'available' THEN 1 ELSE 0 END,
                reason = CASE next WHEN 'discarded' THEN 'quarantined' WHEN 'cancelled' THEN 'cancelled'
                    ELSE 'rescued' END,
                lease_owner = NULL, lease_expires_at = NULL, deadline_at = NULL,
                finished_at = CASE WHEN next = 'available' THEN NULL ELSE now() END, revision = revision + 1
            FROM ended
            WHERE job.id = ended.id AND job.state = 'running' AND job.lease_expires_at < now()
            RETURNING job.id, job.kind, job.state, job.attempt, job.lease_token, job.reason
        ), logged AS (
            INSERT INTO job_log (job_id, event, attempt, lease_token, reason)
            SELECT id, reason, attempt, lease_token, reason FROM changed
        )
        SELECT id, state, pg_notify(CASE state WHEN 'available' THEN 'job_available' ELSE 'job_changed' END,
            CASE state WHEN 'available' THEN kind ELSE id::text END)::text
        FROM changed ORDER BY id
        """)

    static let promote = Statement(
        "job.promote",
        """
        WITH ready AS MATERIALIZED (
            SELECT id FROM job WHERE state = 'retryable' AND run_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED
        ), changed AS (
            UPDATE job SET state = 'available', revision = revision + 1
            FROM ready WHERE job.id = ready.id AND job.state = 'retryable'
            RETURNING job.id, job.kind
        )
        SELECT pg_notify('job_available', kind)::text FROM changed
        """)
}
