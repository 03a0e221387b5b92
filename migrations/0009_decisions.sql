-- What became of each dose: that a later one was rejected says nothing of the one that went out before it.

ALTER TABLE dose_result
    -- `automatic`: its checks let it pass. Null while it waits for a person.
    ADD COLUMN decision text CHECK (decision IN ('approved', 'rejected', 'automatic')),
    ADD COLUMN decided_by text,
    ADD COLUMN decided_reason text,
    ADD COLUMN decided_at timestamptz;

-- What is or was on its way has been let pass, by whom the audit says.
UPDATE dose_result d SET decision = 'approved'
WHERE EXISTS (SELECT 1 FROM export_item e WHERE e.dose_result_id = d.id)
   OR EXISTS (SELECT 1 FROM cycle c WHERE c.id = d.cycle_id AND c.revision = d.cycle_revision AND c.state = 'delivered');

UPDATE dose_result d SET decision = 'rejected'
WHERE decision IS NULL AND EXISTS (
    SELECT 1 FROM cycle c
    WHERE c.id = d.cycle_id AND c.revision = d.cycle_revision AND c.state = 'failed' AND c.reason = 'rejected');
