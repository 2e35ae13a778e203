-- Locks and returns campaigns whose windows have changed, so that what waits for them is looked at again.
SELECT owner_id, campaign_id AS id, after_id, :now::timestamptz AS due_at FROM changed_windows
WHERE campaign_id <> ALL (:excluded::bigint[])
LIMIT least(:most, 1)
FOR UPDATE SKIP LOCKED
