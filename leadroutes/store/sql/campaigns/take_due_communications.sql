-- $1 now, $2 how many, $3 steps that are not to be taken. Campaign steps whose moment has come, earliest first, locked.
-- Many at once are taken by queue_communications itself.
SELECT owner_id, id, send_at AS due_at FROM contact_communications
WHERE is_active AND taken_at IS NULL AND send_at <= $1 AND id <> ALL ($3::bigint[])
ORDER BY send_at LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
