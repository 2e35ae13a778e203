-- A message that was sent has the moment and the address.
SELECT owner_id, id AS message_id FROM messages
WHERE state = 'sent' AND (sent_at IS NULL OR address IS NULL)
  AND (kind, channel) <> ('campaign', 'call')  -- agents are alerted instead, and no one is called
