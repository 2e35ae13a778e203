-- user_id, token_hash, scope, name or null
INSERT INTO access_tokens (user_id, token_hash, scope, name) VALUES (:user_id, :token_hash, :scope, :name)
