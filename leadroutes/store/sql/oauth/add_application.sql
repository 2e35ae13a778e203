-- user_id, name, client_id, secret_hash, redirect_uris
INSERT INTO applications (user_id, name, client_id, secret_hash, redirect_uris) VALUES ($1, $2, $3, $4, $5)
