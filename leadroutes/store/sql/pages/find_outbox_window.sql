-- Finds the oldest of a number of an owner's newest messages, those older than :before_id if it is given; no row where
-- there are fewer.
SELECT id FROM messages
WHERE owner_id = :owner_id AND (:before_id::bigint IS NULL OR id < :before_id)
ORDER BY id DESC
OFFSET :most - 1 LIMIT 1
