-- Locks and returns the leads with the earliest due offers, skipping those that are locked. It reads no more of the
-- index of scheduled offers than it takes.
SELECT l.owner_id, l.id, o.notify_at AS due_at
FROM offers o
JOIN leads l ON l.owner_id = o.owner_id AND l.id = o.lead_id
WHERE o.state = 'scheduled' AND o.notify_at <= :now AND o.lead_id <> ALL (:excluded::bigint[])
ORDER BY o.notify_at
LIMIT :most
FOR NO KEY UPDATE OF l SKIP LOCKED
