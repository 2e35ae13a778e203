-- $1 user, $2 sha256 of the one token or session that stays, or null, $3 whether tokens that a broker was given end as well.
WITH signed_out AS (
    DELETE FROM sessions WHERE user_id = $1 AND token_hash IS DISTINCT FROM $2
), asked AS (
    DELETE FROM email_changes WHERE user_id = $1
)
UPDATE access_tokens a SET revoked_at = now()
WHERE a.user_id = $1 AND a.revoked_at IS NULL AND a.token_hash IS DISTINCT FROM $2
  AND ($3 OR NOT EXISTS (SELECT FROM sub_accounts s WHERE s.token_id = a.id))
