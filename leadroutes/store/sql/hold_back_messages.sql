-- $1 now. After a restore: what contacts may have been sent since the backup was made is listed as unknown, and not sent.
-- That is every message to a contact that is open, and every campaign step whose moment has passed; a birthday's step has
-- its successor, as when it is taken. Answers how many are held back.
WITH open AS (
    UPDATE messages SET state = 'unknown', reason = 'restored from a backup; it may have been sent before'
    WHERE contact_id IS NOT NULL AND state IN ('queued', 'sending')
    RETURNING owner_id, communication_id
), due AS (
    UPDATE contact_communications SET taken_at = $1, is_active = false, completed_at = $1
    WHERE is_active AND taken_at IS NULL AND send_at <= $1
    RETURNING *
), next_birthday AS (
    INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, action_id, lead_id, type,
        template_id, assigned_user_id, is_stopped_on_text_reply, send_at)
    SELECT d.owner_id, d.contact_id, d.campaign_contact_id, d.campaign_id, d.action_id, d.lead_id, d.type,
           d.template_id, d.assigned_user_id, d.is_stopped_on_text_reply,
           (d.send_at AT TIME ZONE coalesce(c.time_zone, 'UTC')
               + interval '1 year' * (1 + extract(year FROM age($1, d.send_at))::int))
               AT TIME ZONE coalesce(c.time_zone, 'UTC')
    FROM due d
    JOIN contacts c ON c.owner_id = d.owner_id AND c.id = d.contact_id
    JOIN campaigns g ON g.id = d.campaign_id
    JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = d.action_id AND a.trigger_type = 2
), done AS (
    UPDATE contact_communications c SET is_active = false, completed_at = $1
    FROM open WHERE c.owner_id = open.owner_id AND c.id = open.communication_id AND c.is_active
), passed AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, state, reason, created_at)
    SELECT owner_id, 'campaign', CASE type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
           lead_id, contact_id, id, 'unknown', 'restored from a backup; it may have been sent before', $1
    FROM due
    ON CONFLICT (owner_id, communication_id) WHERE communication_id IS NOT NULL DO UPDATE
        SET state = excluded.state, reason = excluded.reason
    RETURNING 1
)
SELECT (SELECT count(*) FROM open) + (SELECT count(*) FROM passed)
