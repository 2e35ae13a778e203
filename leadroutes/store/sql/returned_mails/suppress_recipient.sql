-- Suppresses the address of a contact to which a message went. What is in force for the same reason stays.
INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, source_message_id)
SELECT m.owner_id, 'email', plain_address(m.address), address_digest(m.address, k.salt), :reason, :now, m.id
FROM messages m, suppression_salt k
WHERE m.owner_id = :owner_id AND m.id = :message_id AND m.contact_id IS NOT NULL AND m.channel = 'email'
  AND m.address LIKE '%@%'
ON CONFLICT DO NOTHING
