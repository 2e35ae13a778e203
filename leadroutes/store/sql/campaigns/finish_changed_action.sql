-- Notes that a changed action has been carried over to everyone; of one that was removed nothing is left to know.
WITH removed AS (
    DELETE FROM changed_actions WHERE campaign_id = :campaign_id AND action_id = :action_id AND is_removed
)
UPDATE changed_actions SET done_at = :now, left_count = 0
WHERE campaign_id = :campaign_id AND action_id = :action_id AND NOT is_removed
