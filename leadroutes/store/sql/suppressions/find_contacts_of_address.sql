-- Returns the contacts of these owners that have this e-mail address (in plain form).
SELECT owner_id, id FROM contacts
WHERE owner_id = ANY (:owner_ids::bigint[]) AND lower(email) = :address
ORDER BY owner_id, id
