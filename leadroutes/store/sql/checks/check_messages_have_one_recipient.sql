-- A message has one recipient: a user, a contact, or the address that an invitation was sent to.
SELECT owner_id, id AS message_id, user_id, contact_id
FROM messages
WHERE num_nonnulls(user_id, contact_id, CASE WHEN kind = 'invitation' AND user_id IS NULL THEN address END) <> 1
