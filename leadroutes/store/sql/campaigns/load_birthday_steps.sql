-- Returns birthday steps that were taken, each with its action and the contact's present data, unless the campaign is
-- over for the contact or the step has a successor. The runs are locked: a new start waits, and finds the successors.
SELECT s.owner_id, s.id, s.send_at AS due_at, r.created_at AS started_at, c.birthday,
       coalesce(c.time_zone, u.timezone) AS timezone, a.id AS action_id, a.type, a.assigned_user_id, a.template_id,
       a.timing_type, a.delay_by_days, a.dispatch_time, a.delay_by_seconds, a.dispatch_datetime, a.recurrence,
       a.trigger_type, a.is_stopped_on_text_reply, a.description
FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[]) AS wanted (owner_id, id)
JOIN contact_communications s ON s.owner_id = wanted.owner_id AND s.id = wanted.id
JOIN campaign_contacts r ON r.owner_id = s.owner_id AND r.id = s.campaign_contact_id AND r.ended_at IS NULL
JOIN contacts c ON c.owner_id = s.owner_id AND c.id = s.contact_id
JOIN users u ON u.id = coalesce(c.assigned_user_id, c.owner_id)
JOIN campaigns g ON g.id = s.campaign_id
JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = s.action_id
WHERE NOT EXISTS (
    SELECT FROM contact_communications other
    WHERE other.owner_id = s.owner_id AND other.campaign_contact_id = s.campaign_contact_id
      AND other.action_id = s.action_id AND other.id > s.id)
FOR NO KEY UPDATE OF r
