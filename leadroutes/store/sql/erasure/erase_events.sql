-- :owner_id owner, :contact_id contact, :now now. What he did on sites, and which properties he looked at.
WITH gone AS (
    DELETE FROM events WHERE owner_id = :owner_id AND contact_id = :contact_id AND :now::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
