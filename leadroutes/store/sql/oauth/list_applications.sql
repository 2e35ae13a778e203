-- Lists all registered applications.
SELECT applications.client_id, applications.name, users.email, applications.redirect_uris,
       applications.secret_hash IS NOT NULL AS has_secret
FROM applications JOIN users ON users.id = applications.user_id
ORDER BY applications.id
