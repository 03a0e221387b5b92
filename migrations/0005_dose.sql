-- What follows from several planar studies: the dose of one administration.

-- One administration to one patient, and the planar studies after it.
CREATE TABLE cycle (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_key text NOT NULL,
    radionuclide text NOT NULL,
    -- On the site's clock; null until a file or somebody says it.
    administered_at timestamp,
    administered_mbq double precision CHECK (administered_mbq > 0),
    -- Who said so, when the images' files did not.
    stated_by text,
    state text NOT NULL DEFAULT 'collecting'
        CHECK (state IN ('collecting', 'needs-input', 'ready', 'computing', 'review', 'exporting', 'delivered', 'failed')),
    -- Why it waits or failed: a stable code, and which fields are asked for.
    reason text,
    fields jsonb NOT NULL DEFAULT '[]',
    -- Grows with every time point that comes, and with every new result of one.
    revision int NOT NULL DEFAULT 0,
    -- A digest of what this revision is computed from.
    content_key text,
    -- Results of the planar studies, in the order of their times.
    result_ids bigint[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX cycle_patient ON cycle (patient_key, administered_at);
CREATE INDEX cycle_state ON cycle (state, id);

-- What a completed dose job made. One job has one.
CREATE TABLE dose_result (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cycle_id bigint NOT NULL REFERENCES cycle (id),
    cycle_revision int NOT NULL,
    job_id bigint NOT NULL UNIQUE,
    -- Relative to the folder of results; named by the attempt's token.
    folder text NOT NULL,
    summary jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX dose_result_cycle ON dose_result (cycle_id, id);

-- Objects of either kind of result go out by the same outbox.
ALTER TABLE export_item ALTER COLUMN result_id DROP NOT NULL,
    ADD COLUMN dose_result_id bigint REFERENCES dose_result (id),
    ADD CONSTRAINT export_item_one_result CHECK ((result_id IS NULL) <> (dose_result_id IS NULL)),
    ADD CONSTRAINT export_item_dose_output UNIQUE (dose_result_id, output, destination);

-- Patients whose cycles are to be looked through: one of their cases has come to an end, or somebody has said something.
CREATE TABLE cycle_due (
    patient_key text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION cycle_due_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cycle_due (patient_key) VALUES (NEW.patient_key) ON CONFLICT (patient_key) DO UPDATE SET since = now();
    RETURN NULL;
END
$$;

CREATE TRIGGER dose_case_ended AFTER UPDATE OF state ON dose_case FOR EACH ROW
    WHEN (NEW.state IN ('exporting', 'delivered', 'failed') AND OLD.state <> NEW.state)
    EXECUTE FUNCTION cycle_due_note();
