-- Deletes the dedupe keys that would recognize the contact's inquiries: vendors' ids, rows of imports, digests of
-- bodies.
WITH gone AS (
    DELETE FROM idempotency_keys k
    WHERE k.owner_id = :owner_id
      AND k.lead_id IN (SELECT id FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id)
    RETURNING 1
)
SELECT count(*) FROM gone
