-- Puts a text onto the timeline of its contact, stops the texts of campaigns that such an answer stops, and returns the
-- event, the contact's last lead, and the channels over which whoever has the contact hears of it.
WITH event AS (
    INSERT INTO events (owner_id, user_id, contact_id, source, type, description, created_at, modified_at)
    VALUES (:owner_id, :agent_id, :contact_id, 'text', 'text_received', :body, :at, :at)
    RETURNING id
), stopped AS (
    SELECT end_steps(
        ARRAY(SELECT id FROM contact_communications
              WHERE owner_id = :owner_id AND contact_id = :contact_id AND is_active AND is_stopped_on_text_reply),
        :now, NULL, 'the contact has answered by text') AS steps
    WHERE :stops::boolean
)
SELECT event.id, (SELECT steps FROM stopped) AS steps,
       (SELECT l.id FROM leads l WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id
        ORDER BY l.touched_at DESC, l.id DESC LIMIT 1) AS lead_id,
       (SELECT reply_channels(u) FROM users u WHERE u.id = :agent_id) AS channels
FROM event
