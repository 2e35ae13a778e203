-- Adds a personal access token. :token_hash is a sha256; :name may be null.
INSERT INTO access_tokens (user_id, token_hash, scope, name) VALUES (:user_id, :token_hash, :scope, :name)
