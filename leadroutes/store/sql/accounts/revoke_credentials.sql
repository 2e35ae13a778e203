-- Ends a user's sessions, pending sign-ins, trusted browsers, links that set a password, access tokens and requests to
-- change the e-mail. :spared_hash is the sha256 of the one session or token that stays, or null; tokens that a broker
-- was given, and notifications in browsers, end only with :ends_broker_tokens, when the account is closed.
WITH signed_out AS (
    DELETE FROM sessions WHERE user_id = :user_id AND token_hash IS DISTINCT FROM :spared_hash
), pending AS (
    DELETE FROM pending_sign_ins WHERE user_id = :user_id
), trusted AS (
    DELETE FROM trusted_browsers WHERE user_id = :user_id
), links AS (
    DELETE FROM password_links WHERE user_id = :user_id AND used_at IS NULL
), pushed AS (
    DELETE FROM push_subscriptions WHERE user_id = :user_id AND :ends_broker_tokens
), asked AS (
    DELETE FROM email_changes WHERE user_id = :user_id
)
UPDATE access_tokens a SET revoked_at = now()
WHERE a.user_id = :user_id AND a.revoked_at IS NULL AND a.token_hash IS DISTINCT FROM :spared_hash
  AND (:ends_broker_tokens OR NOT EXISTS (SELECT FROM sub_accounts s WHERE s.token_id = a.id))
