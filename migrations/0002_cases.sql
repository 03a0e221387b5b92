-- What was received, what belongs together, what was made of it and where it went.

-- One row for each instance on disk. The file is the truth: rows can be made anew from the files.
CREATE TABLE instance (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sop_instance_uid text NOT NULL UNIQUE,
    sop_class_uid text NOT NULL,
    study_instance_uid text NOT NULL,
    series_instance_uid text NOT NULL,
    frame_of_reference_uid text,
    modality text NOT NULL,
    -- A digest of the patient's identifier and its issuer: equal for one patient, and says nothing about whom.
    patient_key text NOT NULL,
    byte_count bigint NOT NULL,
    -- Relative to the folder of objects; made from a digest of the instance's UID.
    file_name text NOT NULL,
    calling_title text,
    received_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX instance_patient ON instance (patient_key, received_at);
CREATE INDEX instance_study ON instance (study_instance_uid);
CREATE INDEX instance_planar ON instance (patient_key, study_instance_uid) WHERE modality = 'NM';

-- One planar study of one patient, and what is known of it.
CREATE TABLE dose_case (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_key text NOT NULL,
    planar_study_uid text NOT NULL,
    state text NOT NULL DEFAULT 'collecting'
        CHECK (state IN ('collecting', 'needs-input', 'ready', 'reconstructing', 'review', 'exporting', 'delivered',
                         'failed')),
    -- Why it waits or failed: a stable code, and which fields are asked for.
    reason text,
    fields jsonb NOT NULL DEFAULT '[]',
    -- Grows when instances come after the case was put together.
    revision int NOT NULL DEFAULT 0,
    -- A digest of the instances of this revision.
    content_key text,
    instance_ids bigint[] NOT NULL DEFAULT '{}',
    -- When the instances were looked through last; later ones are looked at again.
    assembled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (patient_key, planar_study_uid)
);

CREATE INDEX dose_case_state ON dose_case (state, id);

-- What a completed job made. One job has one result.
CREATE TABLE result (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES dose_case (id),
    case_revision int NOT NULL,
    job_id bigint NOT NULL UNIQUE,
    -- Relative to the folder of results; named by the attempt's token.
    folder text NOT NULL,
    summary jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX result_case ON result (case_id, id);

-- The outbox: one object for one destination.
CREATE TABLE export_item (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    result_id bigint NOT NULL REFERENCES result (id),
    destination text NOT NULL,
    output text NOT NULL,
    file_name text NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'sending', 'stored', 'confirmed', 'refused')),
    attempt int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    -- A sender that has not come back by then is taken to be dead.
    sending_until timestamptz,
    last_status int,
    last_reason text,
    stored_at timestamptz,
    UNIQUE (result_id, output, destination)
);

CREATE INDEX export_item_due ON export_item (next_attempt_at) WHERE state IN ('pending', 'sending');

-- Who did what to what. Rows are only added.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX audit_subject ON audit (subject, id);
