-- Adds the token of an invitation link. :member_id is the id of the member or of the invitation by e-mail; :token_hash
-- is a sha256; :lifetime is real time.
INSERT INTO invitation_tokens (token_hash, member_id, expires_at)
VALUES (:token_hash, :member_id, now() + :lifetime::interval)
