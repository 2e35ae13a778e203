-- :token_hash sha256 of the token, :member_id id of the member or of the invitation, :lifetime how long it lasts, in real time.
INSERT INTO invitation_tokens (token_hash, member_id, expires_at) VALUES (:token_hash, :member_id, now() + :lifetime::interval)
