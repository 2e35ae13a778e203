-- $1 owner, $2 contact, $3 now. What he did on sites, and which properties he looked at.
WITH gone AS (
    DELETE FROM events WHERE owner_id = $1 AND contact_id = $2 AND $3::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
