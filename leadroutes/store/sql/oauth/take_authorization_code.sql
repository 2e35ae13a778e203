-- Returns an authorization code with its grant, both locked, so that of two simultaneous uses one is the second.
-- :code_hash is a sha256.
SELECT g.id AS grant_id, g.user_id, g.scope, c.redirect_uri, c.code_challenge, c.used_at IS NOT NULL AS is_used,
       c.expires_at <= now() OR g.revoked_at IS NOT NULL AS is_over
FROM authorization_codes c
JOIN grants g ON g.id = c.grant_id
JOIN users u ON u.id = g.user_id AND u.is_active
WHERE c.code_hash = :code_hash AND g.application_id = :application_id
FOR UPDATE OF c, g
