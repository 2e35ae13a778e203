-- Ends the check of an import, or the import, with its result; a second end of the same one changes nothing.
WITH done AS (
    UPDATE imports
    SET state = :state, reason = :reason, result = :result::jsonb, finished_at = :now,
        rows_done = CASE WHEN :state = 'failed' THEN rows_done ELSE rows_total END
    WHERE owner_id = :owner_id AND id = :import_id AND state IN ('checking', 'importing')
    RETURNING owner_id, id
)
UPDATE import_files f SET problems = :problems::jsonb, report = :report
FROM done d WHERE f.owner_id = d.owner_id AND f.import_id = d.id
