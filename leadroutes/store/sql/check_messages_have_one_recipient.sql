-- A message has one recipient: a user or a contact.
SELECT owner_id, id AS message_id, user_id, contact_id FROM messages WHERE (user_id IS NULL) = (contact_id IS NULL)
