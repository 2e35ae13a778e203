-- Locks and returns how far a change of an action has been carried over, if that is still under way.
SELECT action_id, campaign_id, changed, changed_at, is_removed, removed_by, part, after_at, after_id, left_count
FROM changed_actions
WHERE campaign_id = :campaign_id AND action_id = :action_id AND done_at IS NULL
FOR UPDATE
