-- Locks and returns owners of whose senders one has moved to another time zone, so that what waits is looked at again.
SELECT owner_id, owner_id AS id, after_id, :now::timestamptz AS due_at FROM changed_time_zones
WHERE owner_id <> ALL (:excluded::bigint[])
ORDER BY owner_id
LIMIT least(:most, 20)
FOR UPDATE SKIP LOCKED
