-- An agent is alerted about a lead only when notified of its offer.
SELECT messages.owner_id, messages.id AS message_id, messages.lead_id, messages.user_id
FROM messages
WHERE messages.kind = 'offer'
  AND NOT EXISTS (
      SELECT FROM offers
      WHERE offers.owner_id = messages.owner_id AND offers.lead_id = messages.lead_id
        AND offers.user_id = messages.user_id AND offers.notified_at IS NOT NULL
  )
