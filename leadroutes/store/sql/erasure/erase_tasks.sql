-- Deletes the texts of tasks about the contact, and open tasks: the texts are agents' words about the person.
WITH gone AS (
    UPDATE tasks
    SET description = '(erased)', notes = NULL, recurs_at = NULL, modified_at = :now,
        status = CASE WHEN status = 'incomplete' THEN 'deleted' ELSE status END
    WHERE contact_owner_id = :owner_id AND contact_id = :contact_id AND (description <> '(erased)' OR notes IS NOT NULL)
    RETURNING 1
)
SELECT count(*) FROM gone
