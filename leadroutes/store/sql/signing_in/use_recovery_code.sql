-- Uses up a recovery code and returns the user; nothing if there is no such code left. :code_hash is a sha256.
UPDATE recovery_codes SET used_at = now() WHERE user_id = :user_id AND code_hash = :code_hash AND used_at IS NULL
RETURNING user_id
