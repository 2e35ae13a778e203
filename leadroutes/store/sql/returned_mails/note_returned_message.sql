-- Notes with a message that was sent why its mail came back.
UPDATE messages SET reason = :reason WHERE owner_id = :owner_id AND id = :message_id AND state = 'sent'
