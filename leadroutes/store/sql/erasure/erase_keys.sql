-- $1 owner, $2 contact, $3 now. The keys that would recognise his inquiries: vendors' ids, imports' rows, sums of bodies.
WITH gone AS (
    DELETE FROM idempotency_keys k
    WHERE k.owner_id = $1 AND $3::timestamptz IS NOT NULL
      AND k.lead_id IN (SELECT id FROM leads WHERE owner_id = $1 AND contact_id = $2)
    RETURNING 1
)
SELECT count(*) FROM gone
