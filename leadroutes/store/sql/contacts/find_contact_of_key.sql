-- Returns the contact of the lead that came with an Idempotency-Key before.
SELECT l.contact_id
FROM idempotency_keys k
JOIN leads l ON l.owner_id = k.owner_id AND l.id = k.lead_id
WHERE k.owner_id = :owner_id AND k.scope = :scope AND k.key = :key
