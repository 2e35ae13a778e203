-- Returns the contacts that have this address in plain form (an e-mail, or a phone in E.164), of those of these owners
-- who have webhooks; so many at most, the newest first.
WITH hearing AS (
    SELECT DISTINCT w.owner_id FROM webhooks w WHERE w.owner_id = ANY (:owner_ids::bigint[]) AND w.is_active
)
(SELECT owner_id, id FROM contacts
 WHERE :channel = 'email' AND owner_id = ANY (ARRAY(SELECT owner_id FROM hearing)) AND lower(email) = :address
 ORDER BY id DESC
 LIMIT :most)
UNION ALL
(SELECT owner_id, contact_id FROM contact_identities
 WHERE :channel <> 'email' AND owner_id = ANY (ARRAY(SELECT owner_id FROM hearing))
   AND kind = 'phone' AND value = :address
 ORDER BY contact_id DESC
 LIMIT :most)
