-- $1 owner, $2 contact, $3 his leads. Locks the messages to him and about them, so that none begins to be sent; answers
-- whether one is being sent.
WITH held AS (
    SELECT state FROM messages m
    WHERE m.owner_id = $1 AND (m.contact_id = $2 OR m.lead_id = ANY ($3::bigint[]))
    ORDER BY m.id FOR UPDATE
)
SELECT coalesce(bool_or(state = 'sending'), false) FROM held
