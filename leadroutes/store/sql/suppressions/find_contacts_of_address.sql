-- Returns the contacts that have this e-mail address (in plain form), of those of these owners who have webhooks; so
-- many at most, the newest first.
SELECT owner_id, id FROM contacts
WHERE owner_id = ANY (ARRAY(
        SELECT w.owner_id FROM webhooks w WHERE w.owner_id = ANY (:owner_ids::bigint[]) AND w.is_active))
  AND lower(email) = :address
ORDER BY id DESC
LIMIT :most
