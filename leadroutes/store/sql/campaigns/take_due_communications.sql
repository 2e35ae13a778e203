-- :now now, :most how many, :excluded steps that are not to be taken. Campaign steps whose moment has come, earliest first, locked.
-- Many at once are taken by queue_communications itself.
SELECT owner_id, id, send_at AS due_at FROM contact_communications
WHERE is_active AND taken_at IS NULL AND send_at <= :now AND id <> ALL (:excluded::bigint[])
ORDER BY send_at LIMIT :most
FOR NO KEY UPDATE SKIP LOCKED
