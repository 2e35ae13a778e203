-- Returns the grant of a refresh token, both locked. :token_hash is a sha256; a replaced token still works for
-- :grace_period. is_reused: the token was replaced longer ago than that, or it ended when a sibling issued for the same
-- token was used, so two parties have it.
SELECT g.id AS grant_id, g.user_id, g.scope,
       r.ended_at IS NOT NULL OR coalesce(r.replaced_at + :grace_period::interval <= now(), false) AS is_reused,
       r.expires_at <= now() OR g.revoked_at IS NOT NULL AS is_over
FROM refresh_tokens r
JOIN grants g ON g.id = r.grant_id
JOIN users u ON u.id = g.user_id AND u.is_active
WHERE r.token_hash = :token_hash AND g.application_id = :application_id
FOR UPDATE OF r, g
