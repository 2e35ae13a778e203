-- Locks contacts in the order of their ids, so that inquiries of one known person, and texts to one, are looked at one
-- after the other, and returns to whom each is assigned once it is locked.
SELECT c.owner_id, c.id, c.assigned_user_id FROM contacts c
WHERE (c.owner_id, c.id) IN (SELECT * FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[]))
ORDER BY c.id
FOR NO KEY UPDATE
