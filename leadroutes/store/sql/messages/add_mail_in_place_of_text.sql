-- Adds an alert by e-mail in place of one by text that its number does not get, unless the member has the same alert by
-- mail or by a call, and returns its id.
INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)
SELECT m.owner_id, m.kind, 'email', m.lead_id, m.offer_id, m.user_id, m.created_at
FROM messages m
WHERE m.owner_id = :owner_id AND m.id = :message_id
  AND NOT EXISTS (SELECT FROM messages other
                  WHERE other.owner_id = m.owner_id AND other.lead_id = m.lead_id AND other.user_id = m.user_id
                    AND other.kind = m.kind AND other.channel IN ('email', 'call')
                    AND other.created_at >= m.created_at)
ON CONFLICT DO NOTHING
RETURNING id
