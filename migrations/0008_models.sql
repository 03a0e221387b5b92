-- Patients' own models: which instances they were trained on, and when they were used last.

ALTER TABLE model
    -- A digest of the instances.
    ADD COLUMN content_key text,
    ADD COLUMN instance_ids bigint[] NOT NULL DEFAULT '{}',
    -- What the training has reached, as its job says it.
    ADD COLUMN summary jsonb,
    ADD COLUMN used_at timestamptz NOT NULL DEFAULT now();

-- The same training gives the same file: a second one after the first was removed.
ALTER TABLE model DROP CONSTRAINT model_sha256_key;

CREATE INDEX model_content ON model (content_key) WHERE retired_at IS NULL;
CREATE INDEX model_used ON model (used_at) WHERE retired_at IS NULL;
