-- Resumes a stopped campaign step: it is sent when due, or at once when that moment has passed; as its action is by
-- now, with the template that this has for the contact, unless it was removed. A call that was asked for is to be made
-- again, and no one is alerted once more.
WITH action AS (
    SELECT a.assigned_user_id, a.is_stopped_on_text_reply
    FROM contact_communications c
    JOIN campaigns g ON g.id = c.campaign_id
    JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = c.action_id AND a.type = c.type
    WHERE c.owner_id = :owner_id AND c.id = :communication_id
), resumed AS (
    UPDATE contact_communications c
    SET is_active = true, completed_at = NULL, completing_user_id = NULL,
        taken_at = CASE WHEN c.asked_user_id IS NOT NULL THEN c.taken_at END, late_from = :now, is_held = false,
        template_id = x.template_id, assigned_user_id = x.assigned_user_id,
        is_stopped_on_text_reply = x.is_stopped_on_text_reply
    FROM (SELECT :template_id::bigint AS template_id, a.assigned_user_id, a.is_stopped_on_text_reply FROM action a
          UNION ALL
          SELECT s.template_id, s.assigned_user_id, s.is_stopped_on_text_reply FROM contact_communications s
          WHERE s.owner_id = :owner_id AND s.id = :communication_id AND NOT EXISTS (SELECT FROM action)) x
    WHERE c.owner_id = :owner_id AND c.id = :communication_id
), waiting AS (
    UPDATE messages SET reason = 'it was stopped and set going again; it is sent at its moment'
    WHERE owner_id = :owner_id AND communication_id = :communication_id AND state = 'suppressed'
)
SELECT pg_notify('leadroutes_wake', '')
