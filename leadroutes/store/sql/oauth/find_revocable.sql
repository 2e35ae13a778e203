-- :token_hash sha256 of an access or a refresh token. Whose it is; access_token_id null: it is a refresh token.
SELECT id AS access_token_id, application_id, grant_id FROM access_tokens WHERE token_hash = :token_hash
UNION ALL
SELECT NULL, g.application_id, g.id FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id WHERE r.token_hash = :token_hash
