-- $1 owner, $2 contact, $3 now. Where he lives.
WITH gone AS (
    DELETE FROM contact_addresses WHERE owner_id = $1 AND contact_id = $2 AND $3::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
