-- $1 user. The applications that he has registered.
SELECT client_id, name, redirect_uris, secret_hash IS NOT NULL AS has_secret, created_at
FROM applications WHERE user_id = $1 ORDER BY id
