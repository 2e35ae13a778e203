-- Records that access tokens were used just now. :token_hashes are sha256s. Tokens that another process recorded within
-- the last minute, and rows that are locked, are skipped.
UPDATE access_tokens SET last_used_at = now()
WHERE id IN (
    SELECT id FROM access_tokens
    WHERE token_hash = ANY(:token_hashes::bytea[]) AND coalesce(last_used_at < now() - interval '1 minute', true)
    FOR NO KEY UPDATE SKIP LOCKED
)
