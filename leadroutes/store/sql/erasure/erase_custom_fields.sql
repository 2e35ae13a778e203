-- $1 owner, $2 contact, $3 now. What the owner noted in fields of his own.
WITH gone AS (
    DELETE FROM custom_field_values WHERE owner_id = $1 AND contact_id = $2 AND $3::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
