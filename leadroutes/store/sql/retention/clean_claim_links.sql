-- Deletes claim links created before a moment.
WITH old AS (
    SELECT token_hash FROM claim_tokens WHERE created_at < :before ORDER BY created_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM claim_tokens t USING old WHERE t.token_hash = old.token_hash RETURNING 1
)
SELECT count(*) FROM gone
