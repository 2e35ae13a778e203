-- :now now. After a restore: what contacts may have been sent since the backup was made is listed as unknown, and not sent.
-- That is every message to a contact that is open, and every campaign step whose moment has passed. A step of birthdays is
-- left to be taken all the same: its message is dealt with, but when it comes again, the domain says. Answers how many are
-- held back.
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
    UPDATE contact_communications c SET taken_at = :now, is_active = false, completed_at = :now
    WHERE c.is_active AND c.taken_at IS NULL AND c.send_at <= :now
      AND NOT EXISTS (SELECT FROM of_birthdays b WHERE b.owner_id = c.owner_id AND b.id = c.id)
    RETURNING c.owner_id, c.id
), done AS (
    UPDATE contact_communications c SET is_active = false, completed_at = :now
    FROM open WHERE c.owner_id = open.owner_id AND c.id = open.communication_id AND c.is_active
), passed AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, state, reason, created_at)
    SELECT c.owner_id, 'campaign', CASE c.type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
           c.lead_id, c.contact_id, c.id, 'unknown', 'restored from a backup; it may have been sent before', :now
    FROM (SELECT * FROM due UNION ALL SELECT * FROM of_birthdays) AS held
    JOIN contact_communications c ON c.owner_id = held.owner_id AND c.id = held.id
    ON CONFLICT (owner_id, communication_id) WHERE communication_id IS NOT NULL DO UPDATE
        SET state = excluded.state, reason = excluded.reason
    RETURNING 1
)
SELECT (SELECT count(*) FROM open) + (SELECT count(*) FROM passed)
