-- A campaign step that was taken has become exactly one message.
SELECT steps.owner_id, steps.id AS communication_id, steps.contact_id, count(messages.id) AS messages
FROM contact_communications AS steps
LEFT JOIN messages ON messages.owner_id = steps.owner_id AND messages.communication_id = steps.id
GROUP BY steps.owner_id, steps.id, steps.contact_id, steps.taken_at
HAVING count(messages.id) > 1 OR (steps.taken_at IS NOT NULL AND count(messages.id) = 0)
