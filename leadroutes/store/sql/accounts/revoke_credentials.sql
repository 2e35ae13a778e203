-- Ends a user's sessions, access tokens and requests to change the e-mail. :spared_hash is the sha256 of the one
-- session or token that stays, or null; tokens that a broker was given end only with :ends_broker_tokens.
WITH signed_out AS (
    DELETE FROM sessions WHERE user_id = :user_id AND token_hash IS DISTINCT FROM :spared_hash
), asked AS (
    DELETE FROM email_changes WHERE user_id = :user_id
)
UPDATE access_tokens a SET revoked_at = now()
WHERE a.user_id = :user_id AND a.revoked_at IS NULL AND a.token_hash IS DISTINCT FROM :spared_hash
  AND (:ends_broker_tokens OR NOT EXISTS (SELECT FROM sub_accounts s WHERE s.token_id = a.id))
