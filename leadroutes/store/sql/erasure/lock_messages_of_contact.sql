-- Locks the messages to a contact and about these leads, so that no attempt to send one begins; returns whether one is
-- being sent.
WITH locked AS (
    SELECT state FROM messages m
    WHERE m.owner_id = :owner_id
      AND (m.contact_id = :contact_id OR m.lead_id = ANY (:lead_ids::bigint[])
           OR m.event_id = ANY (ARRAY(SELECT id FROM events WHERE owner_id = :owner_id AND contact_id = :contact_id))
           OR m.due_call_id = ANY (ARRAY(SELECT id FROM contact_communications
                                         WHERE owner_id = :owner_id AND contact_id = :contact_id)))
    ORDER BY m.id FOR UPDATE
)
SELECT coalesce(bool_or(state = 'sending'), false) FROM locked
