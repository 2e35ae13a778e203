-- Puts an answer of a contact on the contact's timeline, adds the message that passes it on to the agent in whose name
-- the contact was written to, and alerts over other channels. Returns the messages, each with its user.
WITH event AS (
    INSERT INTO events (owner_id, user_id, contact_id, source, type, description, created_at, modified_at)
    VALUES (:owner_id, :owner_id, :contact_id, 'email', 'email_received', :words, :now, :now)
    RETURNING id
), agent AS (
    SELECT u.id AS user_id, reply_channels(u) AS channels
    FROM contacts c
    LEFT JOIN messages m ON m.owner_id = c.owner_id AND m.id = :message_id
    LEFT JOIN contact_communications s ON s.owner_id = m.owner_id AND s.id = m.communication_id
    JOIN users u ON u.id = step_sender(c.owner_id, s.assigned_user_id, c.assigned_user_id)
    WHERE c.owner_id = :owner_id AND c.id = :contact_id
)
INSERT INTO messages (owner_id, kind, channel, user_id, lead_id, arrival_id, event_id, created_at)
SELECT :owner_id, 'replied', 'email', agent.user_id, :lead_id::bigint, :arrival_id::bigint, NULL, :now FROM agent
UNION ALL
SELECT :owner_id, 'replied', channel, agent.user_id, :lead_id::bigint, NULL, event.id, :now
FROM agent CROSS JOIN unnest(agent.channels) AS channel CROSS JOIN event
WHERE channel <> 'email'
RETURNING id, user_id
