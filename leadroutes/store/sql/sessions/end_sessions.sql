-- Deletes a user's sessions and pending sign-ins, but for the session of :spared_hash (a sha256, or null), and returns
-- how many sessions there were.
WITH pending AS (
    DELETE FROM pending_sign_ins WHERE user_id = :user_id
), ended AS (
    DELETE FROM sessions WHERE user_id = :user_id AND token_hash IS DISTINCT FROM :spared_hash RETURNING 1
)
SELECT count(*) FROM ended
