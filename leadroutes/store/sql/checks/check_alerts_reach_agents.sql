-- No alert about a lead that can still be claimed has failed permanently, unless an agent did not answer the phone.
SELECT m.owner_id, m.lead_id, m.id AS message_id, m.user_id, m.channel, m.reason
FROM messages m
JOIN leads l ON l.owner_id = m.owner_id AND l.id = m.lead_id
WHERE m.state = 'failed' AND m.kind IN ('offer', 'unclaimed') AND l.lapses_at IS NOT NULL
  AND coalesce(m.provider_state, '') NOT IN ('busy', 'no-answer')
  AND NOT EXISTS (SELECT FROM claims c WHERE c.owner_id = m.owner_id AND c.lead_id = m.lead_id)
  AND NOT EXISTS (
      SELECT FROM messages other
      WHERE other.owner_id = m.owner_id AND other.lead_id = m.lead_id AND other.user_id = m.user_id
        AND other.kind = m.kind AND other.state = 'sent'
  )
