-- Locks and returns changed actions that are still to be carried over to contacts, with how far they have been.
SELECT owner_id, action_id AS id, action_id, campaign_id, changed, changed_at, is_removed, removed_by, part, after_at,
       after_id, left_count, :now::timestamptz AS due_at
FROM changed_actions
WHERE done_at IS NULL AND action_id <> ALL (:excluded::bigint[])
ORDER BY action_id
LIMIT least(:most, 1)
FOR UPDATE SKIP LOCKED
