-- Returns the contacts of these owners that have this address in plain form: an e-mail, or a phone in E.164.
SELECT owner_id, id FROM contacts
WHERE :channel = 'email' AND owner_id = ANY (:owner_ids::bigint[]) AND lower(email) = :address
UNION ALL
SELECT owner_id, contact_id FROM contact_identities
WHERE :channel <> 'email' AND owner_id = ANY (:owner_ids) AND kind = 'phone' AND value = :address
ORDER BY 1, 2
