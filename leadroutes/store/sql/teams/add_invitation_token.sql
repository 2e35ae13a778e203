-- $1 sha256 of the token, $2 id of the member or of the invitation, $3 how long it lasts, in real time.
INSERT INTO invitation_tokens (token_hash, member_id, expires_at) VALUES ($1, $2, now() + $3::interval)
