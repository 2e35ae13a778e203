-- user_id, token_hash, scope
INSERT INTO access_tokens (user_id, token_hash, scope) VALUES ($1, $2, $3)
