-- :client_id client_id. The application, with the name of whoever runs it.
SELECT a.id, a.client_id, a.name, a.secret_hash, a.redirect_uris, u.email AS owner_email, now() AS now
FROM applications a
JOIN users u ON u.id = a.user_id AND u.is_active
WHERE a.client_id = :client_id
