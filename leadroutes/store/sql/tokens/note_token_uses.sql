-- :token_hashes sha256s of access tokens. They were used just now; what another process noted within the last minute stays, and a row
-- that someone holds is left to the next use.
UPDATE access_tokens SET last_used_at = now()
WHERE id IN (
    SELECT id FROM access_tokens
    WHERE token_hash = ANY(:token_hashes::bytea[]) AND coalesce(last_used_at < now() - interval '1 minute', true)
    FOR NO KEY UPDATE SKIP LOCKED
)
