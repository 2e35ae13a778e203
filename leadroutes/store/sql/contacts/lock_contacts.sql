-- Locks contacts, so that two inquiries of one known person are deduplicated one after the other.
SELECT c.id FROM contacts c
WHERE (c.owner_id, c.id) IN (SELECT * FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[]))
ORDER BY c.id
FOR NO KEY UPDATE
