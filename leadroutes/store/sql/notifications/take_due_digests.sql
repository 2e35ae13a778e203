-- Locks and returns the users whose digest is due first, skipping those that are locked.
SELECT p.user_id AS owner_id, p.user_id AS id, p.digest_at AS due_at, u.timezone, u.phone, u.is_active
FROM alert_preferences p
JOIN users u ON u.id = p.user_id
WHERE p.digest_at <= :now AND p.user_id <> ALL (:excluded::bigint[])
ORDER BY p.digest_at
LIMIT :most
FOR NO KEY UPDATE OF p SKIP LOCKED
