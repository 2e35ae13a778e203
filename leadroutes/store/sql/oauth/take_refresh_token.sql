-- :token_hash sha256 of the token, :application_id application, :grace_period how long one that was replaced still works. Its grant, locked. One that ended,
-- because another one made from the same token was used, has been given to two, whoever of them comes second.
SELECT g.id AS grant_id, g.user_id, g.scope,
       r.ended_at IS NOT NULL OR coalesce(r.replaced_at + :grace_period::interval <= now(), false) AS is_reused,
       r.expires_at <= now() OR g.revoked_at IS NOT NULL AS is_over
FROM refresh_tokens r
JOIN grants g ON g.id = r.grant_id
JOIN users u ON u.id = g.user_id AND u.is_active
WHERE r.token_hash = :token_hash AND g.application_id = :application_id
FOR UPDATE OF r, g
