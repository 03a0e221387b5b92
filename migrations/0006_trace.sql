-- One number by which a case can be followed through the logs, from the C-STORE that brought its planar image to the
-- archive that has its result: 32 hexadecimal digits, a trace-id of W3C Trace Context.

-- Of the association or request that brought the instance; none for rows that were made anew from files.
ALTER TABLE instance ADD COLUMN trace text;

ALTER TABLE dose_case ADD COLUMN trace text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', '');
