-- What is exchanged with archives beyond storing: commitments, the site's description by REST, and what tells instances
-- apart that lie in one study.

-- What an archive was asked to commit itself to keep. A row goes when its object is confirmed.
CREATE TABLE commitment (
    -- Names one request; the archive's report names it again.
    transaction_uid text NOT NULL,
    item_id bigint NOT NULL REFERENCES export_item (id) ON DELETE CASCADE,
    sop_instance_uid text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (transaction_uid, item_id)
);

CREATE INDEX commitment_item ON commitment (item_id);

-- Our own results come back from archives that forward everything: they are kept, and no case is made of them.
ALTER TABLE instance ADD COLUMN made_here boolean NOT NULL DEFAULT false,
    -- Seconds since 1970 on the clock of the site, as devices write it; null when the file does not say it.
    ADD COLUMN acquired_at float8,
    -- A tomographic image in a planar study is no planar image.
    ADD COLUMN is_tomographic boolean NOT NULL DEFAULT false;

-- One study may hold several planar scans, hours or days apart: each is a case. Null is a case of before, or one whose
-- images do not say when they were taken.
ALTER TABLE dose_case ADD COLUMN acquired_at float8;
ALTER TABLE dose_case DROP CONSTRAINT dose_case_patient_key_planar_study_uid_key;
CREATE UNIQUE INDEX dose_case_scan
    ON dose_case (patient_key, planar_study_uid, coalesce(acquired_at, '-infinity'));

-- The site's description as REST was told it. The latest row counts, and goes before the file.
CREATE TABLE site_configuration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document jsonb NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
