-- :user_id user, :kept_hash sha256 of the one token or session that stays, or null, :ends_broker_tokens whether tokens that a broker was given end as well.
WITH signed_out AS (
    DELETE FROM sessions WHERE user_id = :user_id AND token_hash IS DISTINCT FROM :kept_hash
), asked AS (
    DELETE FROM email_changes WHERE user_id = :user_id
)
UPDATE access_tokens a SET revoked_at = now()
WHERE a.user_id = :user_id AND a.revoked_at IS NULL AND a.token_hash IS DISTINCT FROM :kept_hash
  AND (:ends_broker_tokens OR NOT EXISTS (SELECT FROM sub_accounts s WHERE s.token_id = a.id))
