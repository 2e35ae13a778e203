-- Revokes grants and the access tokens issued for them, and returns the ids of those that were valid. With :user_id
-- only grants of this user are revoked; it may be null.
WITH ended AS (
    UPDATE grants SET revoked_at = now()
    WHERE id = ANY (:grant_ids::bigint[]) AND revoked_at IS NULL AND (:user_id::bigint IS NULL OR user_id = :user_id)
    RETURNING id
), tokens AS (
    UPDATE access_tokens SET revoked_at = now()
    WHERE grant_id IN (SELECT id FROM ended) AND revoked_at IS NULL
)
SELECT id FROM ended
