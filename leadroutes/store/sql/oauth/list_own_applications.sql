-- Lists the applications that a user has registered.
SELECT client_id, name, redirect_uris, secret_hash IS NOT NULL AS has_secret, created_at
FROM applications WHERE user_id = :user_id ORDER BY id
