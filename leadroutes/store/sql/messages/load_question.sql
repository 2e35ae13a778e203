-- Returns a text of which the provider has not said for good what became of it, or no row.
SELECT m.provider_id, m.address, m.text_body, m.created_at
FROM messages m
WHERE m.owner_id = :owner_id AND m.id = :message_id AND m.channel = 'text' AND m.state IN ('sent', 'unknown')
  AND m.delivered_at IS NULL
  AND m.reason IS DISTINCT FROM 'the contact was erased'
