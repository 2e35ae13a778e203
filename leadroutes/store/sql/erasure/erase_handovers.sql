-- Deletes the words of agents in requests to pass on leads of the contact.
WITH gone AS (
    UPDATE handovers h SET note = NULL, answer = NULL
    FROM leads l
    WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id AND h.owner_id = l.owner_id AND h.lead_id = l.id
      AND num_nonnulls(h.note, h.answer) > 0
    RETURNING 1
)
SELECT count(*) FROM gone
