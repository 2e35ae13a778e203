-- Locks and returns recurring tasks whose successor is due. started_at or action_id is null where the campaign is over
-- for the contact, or the action was removed: then there is no successor. Those of an action whose change is still
-- carried over wait for that.
-- planner: short array
SELECT t.owner_id, t.id, t.recurs_at AS due_at, r.created_at AS started_at, c.birthday,
       coalesce(c.time_zone, u.timezone) AS timezone, a.id AS action_id, a.type, a.assigned_user_id, a.template_id,
       a.timing_type, a.delay_by_days, a.dispatch_time, a.delay_by_seconds, a.dispatch_datetime, a.recurrence,
       a.trigger_type, a.is_stopped_on_text_reply, a.description
FROM tasks t
LEFT JOIN contacts c ON c.owner_id = t.contact_owner_id AND c.id = t.contact_id
JOIN users u ON u.id = coalesce(c.assigned_user_id, t.owner_id)
LEFT JOIN campaign_contacts r ON r.owner_id = t.owner_id AND r.id = t.campaign_contact_id AND r.ended_at IS NULL
LEFT JOIN campaigns g ON g.id = r.campaign_id
LEFT JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = t.campaign_action_id
WHERE t.recurs_at <= :now AND t.id <> ALL (:excluded::bigint[])
  AND coalesce(t.campaign_action_id, 0) <> ALL (ARRAY(
      SELECT x.action_id FROM changed_actions x WHERE x.done_at IS NULL))
ORDER BY t.recurs_at
LIMIT :most
FOR NO KEY UPDATE OF t SKIP LOCKED
