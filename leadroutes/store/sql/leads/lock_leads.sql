-- Locks leads of an owner, in order, as every change of a lead does.
SELECT id FROM leads WHERE owner_id = :owner_id AND id = ANY (:lead_ids::bigint[]) ORDER BY id FOR NO KEY UPDATE
