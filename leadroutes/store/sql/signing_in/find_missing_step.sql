-- Returns whether a user has a second factor, whether this browser is trusted to do without, and is_admin.
-- :trusted_hash is the sha256 of the browser's token, or null.
SELECT EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS has_factor,
       EXISTS (SELECT FROM trusted_browsers b
               WHERE b.token_hash = :trusted_hash AND b.user_id = u.id AND b.expires_at > now()) AS is_trusted,
       u.is_admin
FROM users u WHERE u.id = :user_id
