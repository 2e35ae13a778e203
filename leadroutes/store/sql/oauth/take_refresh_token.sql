-- $1 sha256 of the token, $2 application, $3 how long one that was replaced still works. Its grant, locked. One that ended,
-- because another one made from the same token was used, has been given to two, whoever of them comes second.
SELECT g.id AS grant_id, g.user_id, g.scope,
       r.ended_at IS NOT NULL OR coalesce(r.replaced_at + $3::interval <= now(), false) AS is_reused,
       r.expires_at <= now() OR g.revoked_at IS NOT NULL AS is_over
FROM refresh_tokens r
JOIN grants g ON g.id = r.grant_id
JOIN users u ON u.id = g.user_id AND u.is_active
WHERE r.token_hash = $1 AND g.application_id = $2
FOR UPDATE OF r, g
