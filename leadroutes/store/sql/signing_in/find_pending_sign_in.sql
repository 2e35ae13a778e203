-- Returns the user whose sign-in waits for its second step, and whether that is a code. :token_hash is a sha256.
SELECT u.id, u.email, display_name(u) AS name,
       EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS has_factor
FROM pending_sign_ins p JOIN users u ON u.id = p.user_id AND u.is_active
WHERE p.token_hash = :token_hash AND p.expires_at > now()
