-- Deletes a pending sign-in in time and returns its user, so that it leads to one session only. :token_hash is a
-- sha256.
DELETE FROM pending_sign_ins WHERE token_hash = :token_hash AND expires_at > now() RETURNING user_id
