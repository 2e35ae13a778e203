-- :owner_id owner, :contact_id contact, :lead_ids his leads. Locks the messages to him and about them, so that none begins to be sent; answers
-- whether one is being sent.
WITH held AS (
    SELECT state FROM messages m
    WHERE m.owner_id = :owner_id AND (m.contact_id = :contact_id OR m.lead_id = ANY (:lead_ids::bigint[]))
    ORDER BY m.id FOR UPDATE
)
SELECT coalesce(bool_or(state = 'sending'), false) FROM held
