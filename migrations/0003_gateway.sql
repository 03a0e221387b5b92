-- What the gateway knows of those around it: who is bringing instances for whom, what an archive says that it has, what
-- people have answered, in whose hand an export is and whether it has arrived, and who has been told of it all.

-- One row for each patient that an association brings, written before the first instance's row and ended after the last.
-- It stays until the patient's cases were looked through: what has an arrival cannot be overlooked, however late its row.
CREATE TABLE arrival (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The receiving service, by the name in its state folder.
    receiver text NOT NULL,
    patient_key text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    -- A receiver that has not renewed it by then is taken to be dead.
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- Somebody does not want to wait.
    forced boolean NOT NULL DEFAULT false,
    -- Looked through at the hard deadline, although it has not ended.
    looked_at timestamptz
);

CREATE INDEX arrival_patient ON arrival (patient_key);
CREATE INDEX arrival_open ON arrival (receiver) WHERE ended_at IS NULL;

-- What came before this migration is looked through once more.
INSERT INTO arrival (receiver, patient_key, expires_at, ended_at)
SELECT 'migration', patient_key, now(), now() FROM instance GROUP BY patient_key;

-- The service that sends an item, by the name in its state folder.
ALTER TABLE export_item ADD COLUMN sending_owner text;
-- When the archive was found to have the object, and how often it was asked.
ALTER TABLE export_item ADD COLUMN confirmed_at timestamptz, ADD COLUMN check_count int NOT NULL DEFAULT 0;

-- Birth date and name as digests that the patient's identifier goes into, to tell a mistaken identifier from a patient.
ALTER TABLE instance ADD COLUMN birth_key text, ADD COLUMN name_key text, ADD COLUMN sex text,
    -- The file was removed, its case long delivered.
    ADD COLUMN purged_at timestamptz;

ALTER TABLE dose_case ADD COLUMN delivered_at timestamptz;
UPDATE dose_case SET delivered_at = updated_at WHERE state = 'delivered';

-- What somebody has answered to what a case asks for. The latest row of a field counts.
CREATE TABLE case_answer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES dose_case (id),
    field text NOT NULL,
    value jsonb NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX case_answer_case ON case_answer (case_id, id);

-- How many instances an archive says that a series has.
CREATE TABLE series_count (
    series_instance_uid text PRIMARY KEY,
    instance_count int NOT NULL,
    peer text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now()
);

-- What was asked of an archive for a case that misses something.
CREATE TABLE case_fetch (
    case_id bigint NOT NULL REFERENCES dose_case (id),
    revision int NOT NULL,
    peer text NOT NULL,
    attempt int NOT NULL DEFAULT 1,
    next_attempt_at timestamptz,
    outcome text NOT NULL DEFAULT 'asked',
    PRIMARY KEY (case_id, revision, peer)
);

-- Until the audit repository has it.
ALTER TABLE audit ADD COLUMN sent_at timestamptz, ADD COLUMN outcome smallint NOT NULL DEFAULT 0,
    ADD COLUMN peer text;
CREATE INDEX audit_unsent ON audit (id) WHERE sent_at IS NULL;
