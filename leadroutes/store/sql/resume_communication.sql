-- $1 owner, $2 communication. It is sent at its moment, or at once if that is past.
WITH resumed AS (
    UPDATE contact_communications
    SET is_active = true, completed_at = NULL, completing_user_id = NULL, taken_at = NULL
    WHERE owner_id = $1 AND id = $2
)
SELECT pg_notify('leadroutes_wake', '')
