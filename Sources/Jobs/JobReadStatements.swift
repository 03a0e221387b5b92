import Postgres

/// The SQL that reads jobs and removes old ones.
enum JobReadStatements {
    private static let columns = """
        id, kind, key, state, priority, payload, attempt, attempt_limit, rescue_count, lease_token, lease_owner,
        lease_expires_at, run_at, progress, stage, cancel_requested, depends_on, retry_of, result, reason, revision,
        created_at, started_at, finished_at
        """

    static let get = Statement("job.get", "SELECT \(columns) FROM job WHERE id = $1")

    static let getSeveral = Statement("job.get_several", "SELECT \(columns) FROM job WHERE id = ANY($1)")

    static let liveWithKey = Statement(
        "job.live_with_key",
        "SELECT id FROM job WHERE key = (SELECT key FROM job WHERE id = $1) AND finished_at IS NULL")

    static let list = Statement(
        "job.list",
        """
        SELECT \(columns) FROM job
        WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text[] IS NULL OR kind = ANY($2))
          AND ($3::text[] IS NULL OR state = ANY($3))
        ORDER BY id DESC LIMIT $4
        """)

    static let log = Statement(
        "job.log",
        """
        SELECT at, event, attempt, lease_token, owner, reason FROM job_log WHERE job_id = $1 ORDER BY id LIMIT $2
        """)

    static let counts = Statement(
        "job.counts",
        """
        SELECT kind, state, count(*) AS count, sum(rescue_count)::bigint AS rescues,
            greatest(0, coalesce(extract(epoch FROM now() - min(run_at) FILTER (WHERE state = 'available')), 0))::float8
                AS oldest_wait
        FROM job GROUP BY kind, state ORDER BY kind, state
        """)

    static let prune = Statement(
        "job.prune",
        """
        WITH old AS MATERIALIZED (
            SELECT id FROM job WHERE finished_at < now() - make_interval(secs => $1)
            ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM job USING old WHERE job.id = old.id
        """)
}
