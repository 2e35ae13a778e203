-- $1 owner, $2 contact, $3 now. What was to be done about him: in words of the agents, so the words go; what is open is deleted.
WITH gone AS (
    UPDATE tasks
    SET description = '(erased)', notes = NULL, recurs_at = NULL, modified_at = $3,
        status = CASE WHEN status = 'incomplete' THEN 'deleted' ELSE status END
    WHERE contact_owner_id = $1 AND contact_id = $2 AND (description <> '(erased)' OR notes IS NOT NULL)
    RETURNING 1
)
SELECT count(*) FROM gone
