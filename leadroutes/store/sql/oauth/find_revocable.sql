-- Returns the application and grant of an access or refresh token; access_token_id is null for a refresh token.
-- :token_hash is a sha256.
SELECT id AS access_token_id, application_id, grant_id FROM access_tokens WHERE token_hash = :token_hash
UNION ALL
SELECT NULL, g.application_id, g.id FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id
WHERE r.token_hash = :token_hash
