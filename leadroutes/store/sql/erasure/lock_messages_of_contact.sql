-- Locks the messages to a contact and about these leads, so that no attempt to send one begins; returns whether one is
-- being sent.
WITH locked AS (
    SELECT state FROM messages m
    WHERE m.owner_id = :owner_id AND (m.contact_id = :contact_id OR m.lead_id = ANY (:lead_ids::bigint[]))
    ORDER BY m.id FOR UPDATE
)
SELECT coalesce(bool_or(state = 'sending'), false) FROM locked
