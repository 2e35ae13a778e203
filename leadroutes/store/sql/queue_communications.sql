-- $1 now, $2 how many, $3 steps that are not to be taken, $4 steps that the caller has taken, or null: then those are taken
-- whose moment has come, earliest first. They become messages; a birthday's step makes its successor, in the next year that
-- is still to come. One that was stopped and set going again has its message queued once more.
WITH due AS (
    SELECT id FROM contact_communications
    WHERE is_active AND taken_at IS NULL AND send_at <= $1 AND id <> ALL ($3::bigint[])
    ORDER BY send_at LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE contact_communications c SET taken_at = $1
    WHERE c.id = ANY (coalesce($4::bigint[], ARRAY(SELECT id FROM due)))  -- an array is short to the planner, however many $2 may be
    RETURNING c.*
), next_birthday AS (
    INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, action_id, lead_id, type,
        template_id, assigned_user_id, is_stopped_on_text_reply, send_at)
    SELECT t.owner_id, t.contact_id, t.campaign_contact_id, t.campaign_id, t.action_id, t.lead_id, t.type,
           t.template_id, t.assigned_user_id, t.is_stopped_on_text_reply,
           (t.send_at AT TIME ZONE coalesce(c.time_zone, 'UTC')
               + interval '1 year' * (1 + extract(year FROM age($1, t.send_at))::int))
               AT TIME ZONE coalesce(c.time_zone, 'UTC')
    FROM taken t
    JOIN contacts c ON c.owner_id = t.owner_id AND c.id = t.contact_id
    JOIN campaigns g ON g.id = t.campaign_id
    JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = t.action_id AND a.trigger_type = 2
), made AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, created_at)
    SELECT owner_id, 'campaign', CASE type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
           lead_id, contact_id, id, $1
    FROM taken
    ORDER BY send_at, id
    ON CONFLICT (owner_id, communication_id) WHERE communication_id IS NOT NULL DO UPDATE
        SET state = 'queued', reason = NULL, attempts = 0
        WHERE messages.state = 'suppressed'
    RETURNING owner_id, id, communication_id
)
SELECT made.owner_id, made.id, taken.send_at AS due_at
FROM made JOIN taken ON taken.owner_id = made.owner_id AND taken.id = made.communication_id
