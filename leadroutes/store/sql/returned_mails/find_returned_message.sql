-- Returns the message that a return address names, unless its contact has been erased. A message has an address from
-- its first attempt on, which may be under way.
SELECT id FROM messages
WHERE owner_id = :owner_id AND id = :message_id AND (address LIKE '%@%' OR state = 'sending')
