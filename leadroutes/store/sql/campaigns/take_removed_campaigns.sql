-- Locks and returns a removed campaign of which something is left: one at a time, so that what is due goes on.
SELECT owner_id, id, name, removed_by, removed_at, :now::timestamptz AS due_at FROM removed_campaigns
WHERE id <> ALL (:excluded::bigint[])
ORDER BY id
LIMIT least(:most, 1)
FOR NO KEY UPDATE SKIP LOCKED
