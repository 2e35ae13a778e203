-- Locks and returns leads of which an alert has failed, each with an offer that it was about, skipping what is locked.
SELECT l.owner_id, l.id, f.offer_id, :now::timestamptz AS due_at
FROM failed_notices f
JOIN leads l ON l.owner_id = f.owner_id AND l.id = f.lead_id
WHERE f.lead_id <> ALL (:excluded::bigint[])
ORDER BY f.owner_id, f.offer_id
LIMIT :most
FOR NO KEY UPDATE OF l SKIP LOCKED
FOR UPDATE OF f SKIP LOCKED
