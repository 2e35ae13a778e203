-- Returns the users whose access tokens are valid; lifetimes are real time. :token_hashes are sha256s. is_due: the
-- token's use has not been recorded within the last minute, and can be (a standby takes no writes).
SELECT a.token_hash, a.user_id, a.scope, a.application_id, u.is_admin, u.is_broker,
       coalesce(a.last_used_at < now() - interval '1 minute', true)
       AND current_setting('transaction_read_only') = 'off' AS is_due
FROM access_tokens a
JOIN users u ON u.id = a.user_id AND u.is_active
WHERE a.token_hash = ANY(:token_hashes::bytea[]) AND a.revoked_at IS NULL
  AND (a.expires_at IS NULL OR a.expires_at > now())
