-- $1 owner, $2 contact. Locks his leads and the messages to him and about them, so that none begins to be sent; answers
-- whether one is being sent.
WITH his AS MATERIALIZED (
    SELECT id FROM leads WHERE owner_id = $1 AND contact_id = $2 ORDER BY id FOR NO KEY UPDATE
), held AS (
    SELECT state FROM messages m
    WHERE m.owner_id = $1 AND (m.contact_id = $2 OR m.lead_id IN (SELECT id FROM his))
    ORDER BY m.id FOR UPDATE
)
SELECT coalesce(bool_or(state = 'sending'), false) FROM held
