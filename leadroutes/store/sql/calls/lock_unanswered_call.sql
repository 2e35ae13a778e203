-- Locks a message whose last call no one has answered, once its sending has been recorded, and returns how that call
-- ended and whether it was the second one; nothing for a call that had lost its purpose while it rang.
SELECT c.outcome,
       EXISTS (SELECT FROM calls f
               WHERE f.owner_id = c.owner_id AND f.message_id = c.message_id AND f.id < c.id
                 AND f.outcome = ANY (:unanswered::text[])) AS is_second
FROM messages m
JOIN calls c ON c.owner_id = m.owner_id AND c.message_id = m.id AND c.provider_id = m.provider_id
WHERE m.owner_id = :owner_id AND m.id = :message_id AND m.state = 'sent'
  AND c.outcome = ANY (:unanswered) AND c.unwanted_at IS NULL
FOR NO KEY UPDATE OF m
