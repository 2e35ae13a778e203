-- :owner_id owner, :contact_id contact, :now now. The keys that would recognise his inquiries: vendors' ids, imports' rows, sums of bodies.
WITH gone AS (
    DELETE FROM idempotency_keys k
    WHERE k.owner_id = :owner_id AND :now::timestamptz IS NOT NULL
      AND k.lead_id IN (SELECT id FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id)
    RETURNING 1
)
SELECT count(*) FROM gone
