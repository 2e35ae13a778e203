-- Asks for the calls that campaign steps are, once each: whoever is the sender of a step whose message has been sent is
-- alerted over the channels of answers. Returns the alerts' messages.
-- planner: per-row lookup
WITH asked AS (
    UPDATE contact_communications s
    SET asked_user_id = step_sender(s.owner_id, s.assigned_user_id, (
        SELECT c.assigned_user_id FROM contacts c WHERE c.owner_id = s.owner_id AND c.id = s.contact_id))
    FROM unnest(:owner_ids::bigint[], :message_ids::bigint[]) AS x (owner_id, id)
    CROSS JOIN LATERAL (
        SELECT m.communication_id FROM messages m
        WHERE m.owner_id = x.owner_id AND m.id = x.id AND m.state = 'sent' OFFSET 0) m
    WHERE s.owner_id = x.owner_id AND s.id = m.communication_id AND s.is_active AND s.asked_user_id IS NULL
    RETURNING s.owner_id, s.id, s.lead_id, s.asked_user_id
)
INSERT INTO messages (owner_id, kind, channel, user_id, lead_id, due_call_id, created_at)
SELECT asked.owner_id, 'call_due', channel, u.id, asked.lead_id, asked.id, :now
FROM asked JOIN users u ON u.id = asked.asked_user_id CROSS JOIN unnest(reply_channels(u)) AS channel
RETURNING owner_id, id, user_id
