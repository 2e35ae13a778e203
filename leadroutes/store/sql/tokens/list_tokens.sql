-- Lists all access tokens that have not expired.
SELECT access_tokens.id, users.email, access_tokens.name, applications.name AS application, access_tokens.scope,
       access_tokens.created_at, access_tokens.last_used_at, access_tokens.expires_at, access_tokens.revoked_at
FROM access_tokens
JOIN users ON users.id = access_tokens.user_id
LEFT JOIN applications ON applications.id = access_tokens.application_id
WHERE access_tokens.expires_at IS NULL OR access_tokens.expires_at > now()
ORDER BY access_tokens.id
