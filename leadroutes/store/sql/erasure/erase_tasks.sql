-- :owner_id owner, :contact_id contact, :now now. What was to be done about him: in words of the agents, so the words go; what is open is deleted.
WITH gone AS (
    UPDATE tasks
    SET description = '(erased)', notes = NULL, recurs_at = NULL, modified_at = :now,
        status = CASE WHEN status = 'incomplete' THEN 'deleted' ELSE status END
    WHERE contact_owner_id = :owner_id AND contact_id = :contact_id AND (description <> '(erased)' OR notes IS NOT NULL)
    RETURNING 1
)
SELECT count(*) FROM gone
