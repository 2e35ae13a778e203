-- $1 grants, $2 user (or null). From now on nothing that was made from them works; those that were good.
WITH ended AS (
    UPDATE grants SET revoked_at = now()
    WHERE id = ANY ($1::bigint[]) AND revoked_at IS NULL AND ($2::bigint IS NULL OR user_id = $2)
    RETURNING id
), tokens AS (
    UPDATE access_tokens SET revoked_at = now()
    WHERE grant_id IN (SELECT id FROM ended) AND revoked_at IS NULL
)
SELECT id FROM ended
