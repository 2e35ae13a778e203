-- Locks and returns the campaign steps that are to be looked at: those whose moment has come, or for which what held
-- them has ended; in the order of their moments where they waited for the same. Those of an action whose change is
-- still carried over wait for that; those of a removed campaign are ended.
-- planner: short array
SELECT owner_id, id, contact_id, type, coalesce(waits_until, send_at) AS due_at FROM contact_communications
WHERE is_active AND taken_at IS NULL AND coalesce(waits_until, send_at) <= :now AND id <> ALL (:excluded::bigint[])
  AND coalesce(action_id, 0) <> ALL (ARRAY(SELECT x.action_id FROM changed_actions x WHERE x.done_at IS NULL))
  AND coalesce(campaign_id, 0) <> ALL (ARRAY(SELECT x.id FROM removed_campaigns x))
ORDER BY coalesce(waits_until, send_at), send_at LIMIT :most
FOR NO KEY UPDATE SKIP LOCKED
