-- The job queue. Every write to a running job names the token of its attempt; tokens only grow.

CREATE SEQUENCE lease_token;

CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind <> ''),
    -- At most one live job has a given key.
    key text,
    -- Lower goes first.
    priority smallint NOT NULL,
    state text NOT NULL DEFAULT 'available'
        CHECK (state IN ('available', 'running', 'retryable', 'completed', 'discarded', 'cancelled')),
    payload jsonb NOT NULL,
    -- Failures so far, and the running attempt; rescued, snoozed and returned attempts are taken off again.
    attempt smallint NOT NULL DEFAULT 0,
    attempt_limit smallint NOT NULL CHECK (attempt_limit > 0),
    -- How often the lease ended without a word from the worker.
    rescue_count smallint NOT NULL DEFAULT 0,
    -- The token of the latest attempt; kept after its end, it names the attempt that the outcome belongs to.
    lease_token bigint,
    lease_owner text,
    lease_expires_at timestamptz,
    -- No heartbeat carries a lease beyond this.
    deadline_at timestamptz,
    run_at timestamptz NOT NULL,
    progress double precision,
    stage text,
    cancel_requested boolean NOT NULL DEFAULT false,
    -- The job waits until that one has ended, however it ends.
    depends_on bigint REFERENCES job (id) ON DELETE SET NULL,
    retry_of bigint,
    result jsonb,
    -- Why the job is where it is: a code, never free text.
    reason text,
    -- Grows with everything a reader can see.
    revision bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CHECK (attempt BETWEEN 0 AND attempt_limit),
    CHECK ((state = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK ((state IN ('completed', 'discarded', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK (result IS NULL OR state = 'completed')
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

-- A heartbeat writes lease_expires_at, progress, stage and revision. None of them is indexed, so that its row versions
-- stay on their page and touch no index.
CREATE INDEX job_claim ON job (priority, run_at, id) WHERE state = 'available';
CREATE INDEX job_running ON job (id) WHERE state = 'running';
CREATE INDEX job_retryable ON job (run_at) WHERE state = 'retryable';
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX job_dependent ON job (depends_on) WHERE depends_on IS NOT NULL;
CREATE UNIQUE INDEX job_live_key ON job (key)
    WHERE key IS NOT NULL AND state IN ('available', 'running', 'retryable');

-- What happened to each job. Rows are added and go with their job; they never change.
CREATE TABLE job_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id bigint NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text NOT NULL,
    attempt smallint NOT NULL,
    lease_token bigint,
    owner text,
    reason text
);

CREATE INDEX job_log_job ON job_log (job_id, id);

CREATE FUNCTION job_log_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'job_log is append-only';
END
$$;

CREATE TRIGGER job_log_append_only BEFORE UPDATE OR TRUNCATE ON job_log
    FOR EACH STATEMENT EXECUTE FUNCTION job_log_refuse_change();
