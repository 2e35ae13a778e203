-- Locks a text that the provider reports something of, and returns what is known of it; nothing once the contact was
-- erased.
SELECT contact_id, address, state, reason, provider_id, provider_state, error_code,
       delivered_at IS NOT NULL AS is_delivered
FROM messages
WHERE owner_id = :owner_id AND id = :message_id AND channel = 'text'
  AND reason IS DISTINCT FROM 'the contact was erased'
FOR NO KEY UPDATE
