-- What the REST interface keeps, and how it learns of changes.

-- Who may ask. A key is known by the digest of its secret, a client certificate by its subject.
CREATE TABLE api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    role text NOT NULL CHECK (role IN ('reader', 'operator', 'admin')),
    digest bytea UNIQUE CHECK (octet_length(digest) = 32),
    certificate_subject text UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CHECK ((digest IS NULL) <> (certificate_subject IS NULL))
);

-- What was answered to a request that may be repeated.
CREATE TABLE idempotency (
    principal text NOT NULL,
    key text NOT NULL,
    -- Of method, path and body.
    request_digest text NOT NULL,
    status smallint NOT NULL,
    location text,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key)
);

CREATE INDEX idempotency_age ON idempotency (created_at);

-- Cameras that were described by REST; those of files stand beside them.
CREATE TABLE calibration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    station text NOT NULL,
    isotope text NOT NULL,
    -- A site's description as its file would hold it.
    site jsonb NOT NULL,
    -- Where the numbers come from.
    source text NOT NULL,
    measured_on date NOT NULL,
    valid_until date,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz
);

-- Networks that reconstructions may use.
CREATE TABLE model (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('population', 'personal')),
    -- For a personal model, whose it is, as the instances' column of that name.
    patient_key text CHECK ((patient_key IS NOT NULL) = (kind = 'personal')),
    sha256 text NOT NULL UNIQUE,
    recipe_sha256 text NOT NULL,
    -- Relative to the folder of models.
    file_name text NOT NULL,
    job_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);

CREATE INDEX model_patient ON model (patient_key) WHERE patient_key IS NOT NULL;

CREATE INDEX audit_actor ON audit (actor, id);

-- A reader that goes on from the last row it saw must not pass over one whose transaction commits later: rows are read
-- only when every transaction up to theirs has ended.
ALTER TABLE job_log ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE TABLE case_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES dose_case (id) ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL,
    reason text,
    revision int NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE INDEX case_log_case ON case_log (case_id, id);
CREATE INDEX case_log_xid ON case_log (xid, id);
CREATE INDEX job_log_xid ON job_log (xid, id);

CREATE FUNCTION case_log_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO case_log (case_id, state, reason, revision) VALUES (NEW.id, NEW.state, NEW.reason, NEW.revision);
    PERFORM pg_notify('case_revised', NEW.id::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER dose_case_opened AFTER INSERT ON dose_case FOR EACH ROW EXECUTE FUNCTION case_log_step();

CREATE TRIGGER dose_case_stepped AFTER UPDATE OF state, reason, revision ON dose_case FOR EACH ROW
    WHEN ((OLD.state, OLD.reason, OLD.revision) IS DISTINCT FROM (NEW.state, NEW.reason, NEW.revision))
    EXECUTE FUNCTION case_log_step();

-- Whoever keeps a job's revision in memory hears of every newer one, whichever statement made it.
CREATE FUNCTION job_tell_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('job_revised', NEW.id::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER job_revised AFTER UPDATE OF revision ON job FOR EACH ROW
    WHEN (OLD.revision <> NEW.revision) EXECUTE FUNCTION job_tell_revision();

CREATE FUNCTION api_key_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY api_key_revised;
    RETURN NULL;
END
$$;

CREATE TRIGGER api_key_revised AFTER INSERT OR UPDATE OR DELETE ON api_key FOR EACH STATEMENT
    EXECUTE FUNCTION api_key_tell();
