-- $1 owner, $2 communication. It is sent at its moment, or at once if that is past.
WITH resumed AS (
    UPDATE contact_communications
    SET is_active = true, completed_at = NULL, completing_user_id = NULL, taken_at = NULL
    WHERE owner_id = $1 AND id = $2
), waiting AS (
    UPDATE messages SET reason = 'it was stopped and set going again; it is sent at its moment'
    WHERE owner_id = $1 AND communication_id = $2 AND state = 'suppressed'
)
SELECT pg_notify('leadroutes_wake', '')
