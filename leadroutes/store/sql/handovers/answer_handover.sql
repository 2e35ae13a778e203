-- Stores the owner's answer to an open request; nothing where it is not open any more. :answer may be null.
UPDATE handovers
SET state = :state, answer = :answer, answered_by_user_id = :by_user_id, answered_at = :now
WHERE owner_id = :owner_id AND id = :handover_id AND state = 'asked'
RETURNING id
