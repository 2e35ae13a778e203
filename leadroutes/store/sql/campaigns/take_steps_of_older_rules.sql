-- Locks and returns campaign steps that wait by rules before those of :version, in the order of their moments; only so
-- many that what is due goes on in between. Those of an action whose change is still carried over wait for that; those
-- of a removed campaign are ended.
-- planner: short array
SELECT owner_id, id, contact_id, type, :now::timestamptz AS due_at FROM contact_communications
WHERE is_active AND taken_at IS NULL AND send_at <= :now AND held_by > 0 AND held_by < :version
  AND id <> ALL (:excluded::bigint[])
  AND coalesce(action_id, 0) <> ALL (ARRAY(SELECT x.action_id FROM changed_actions x WHERE x.done_at IS NULL))
  AND coalesce(campaign_id, 0) <> ALL (ARRAY(SELECT x.id FROM removed_campaigns x))
ORDER BY held_by, send_at LIMIT least(:most, 500)
FOR NO KEY UPDATE SKIP LOCKED
