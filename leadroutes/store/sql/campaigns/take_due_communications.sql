-- Locks and returns the campaign steps that are due first. queue_communications takes many at once by itself.
SELECT owner_id, id, send_at AS due_at FROM contact_communications
WHERE is_active AND taken_at IS NULL AND send_at <= :now AND id <> ALL (:excluded::bigint[])
ORDER BY send_at LIMIT :most
FOR NO KEY UPDATE SKIP LOCKED
