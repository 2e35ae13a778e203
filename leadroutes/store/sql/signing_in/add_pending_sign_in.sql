-- Adds a sign-in that waits for its second step. :token_hash is a sha256; :lifetime is real time.
INSERT INTO pending_sign_ins (token_hash, user_id, expires_at)
VALUES (:token_hash, :user_id, now() + :lifetime::interval)
