-- Returns an OAuth application with its owner's e-mail, while the owner's account is active.
SELECT a.id, a.client_id, a.name, a.secret_hash, a.redirect_uris, u.email AS owner_email, now() AS now
FROM applications a
JOIN users u ON u.id = a.user_id AND u.is_active
WHERE a.client_id = :client_id
