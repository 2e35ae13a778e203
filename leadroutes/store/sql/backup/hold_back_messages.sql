-- Marks what contacts may have been sent since a restored backup was made as unknown, so that it is not sent again, and
-- returns how many messages that are: every open message to a contact, and every campaign step whose moment has passed,
-- also one that waited until someone had the lead: since then someone may have had it.
-- Deliveries to webhooks that wait are given up; they can be sent again by hand.
-- The message of a birthday step is held back too, but the step is still taken: the domain decides when it repeats.
WITH open AS (
    UPDATE messages SET state = 'unknown', reason = 'restored from a backup; it may have been sent before'
    WHERE contact_id IS NOT NULL AND state IN ('queued', 'sending')
    RETURNING owner_id, communication_id
), of_birthdays AS (
    SELECT c.owner_id, c.id
    FROM contact_communications c
    JOIN campaigns g ON g.id = c.campaign_id
    JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = c.action_id AND a.trigger_type = 2
    WHERE c.is_active AND c.taken_at IS NULL AND c.send_at <= :now
), due AS (
    UPDATE contact_communications c SET taken_at = :now, is_held = false, is_active = false, completed_at = :now
    WHERE c.is_active AND (c.taken_at IS NULL OR c.is_held) AND c.send_at <= :now
      AND NOT EXISTS (SELECT FROM of_birthdays b WHERE b.owner_id = c.owner_id AND b.id = c.id)
    RETURNING c.owner_id, c.id
), done AS (
    UPDATE contact_communications c SET is_active = false, completed_at = :now
    FROM open WHERE c.owner_id = open.owner_id AND c.id = open.communication_id AND c.is_active
), delivery AS (
    UPDATE webhook_deliveries
    SET state = 'failed', due_at = NULL, reason = 'restored from a backup; it may have been sent before'
    WHERE state = 'waiting'
), passed AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, state, reason, created_at)
    SELECT c.owner_id, 'campaign',
           CASE c.type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
           c.lead_id, c.contact_id, c.id, 'unknown',
        'restored from a backup; it may have been sent before', :now
    FROM (SELECT * FROM due UNION ALL SELECT * FROM of_birthdays) AS due_step
    JOIN contact_communications c ON c.owner_id = due_step.owner_id AND c.id = due_step.id
    ON CONFLICT (owner_id, communication_id) WHERE communication_id IS NOT NULL DO UPDATE
        SET state = excluded.state, reason = excluded.reason
    RETURNING 1
)
SELECT (SELECT count(*) FROM open) + (SELECT count(*) FROM passed)
