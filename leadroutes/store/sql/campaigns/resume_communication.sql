-- Resumes a stopped campaign step: it is sent when due, or at once when that moment has passed.
WITH resumed AS (
    UPDATE contact_communications
    SET is_active = true, completed_at = NULL, completing_user_id = NULL, taken_at = NULL
    WHERE owner_id = :owner_id AND id = :communication_id
), waiting AS (
    UPDATE messages SET reason = 'it was stopped and set going again; it is sent at its moment'
    WHERE owner_id = :owner_id AND communication_id = :communication_id AND state = 'suppressed'
)
SELECT pg_notify('leadroutes_wake', '')
