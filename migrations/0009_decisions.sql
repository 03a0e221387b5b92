-- What became of each dose: that a later one was rejected says nothing of the one that went out before it.

ALTER TABLE dose_result
    -- `automatic`: its checks let it pass. Null while it waits for a person, or when it was replaced before.
    ADD COLUMN decision text CHECK (decision IN ('approved', 'rejected', 'automatic')),
    ADD COLUMN decided_by text,
    ADD COLUMN decided_at timestamptz;

-- What is or was on its way has been let pass; by whom is not known here any more. Of several doses of one revision the
-- latest is meant.
UPDATE dose_result d SET decision = 'approved'
WHERE EXISTS (SELECT 1 FROM export_item e WHERE e.dose_result_id = d.id)
   OR d.id IN (SELECT max(l.id) FROM cycle c JOIN dose_result l ON l.cycle_id = c.id AND l.cycle_revision = c.revision
               WHERE c.state = 'delivered' GROUP BY c.id);

UPDATE dose_result d SET decision = 'rejected'
WHERE decision IS NULL
  AND d.id IN (SELECT max(l.id) FROM cycle c JOIN dose_result l ON l.cycle_id = c.id AND l.cycle_revision = c.revision
               WHERE c.state = 'failed' AND c.reason = 'rejected' GROUP BY c.id);
