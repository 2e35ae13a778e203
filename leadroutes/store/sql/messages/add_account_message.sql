-- $1 owner, $2 kind, $3 user or null, $4 address or null, $5 member or null, $6 change of e-mail or null, $7 now. An e-mail
-- about an account; the address is the user's where none is given.
INSERT INTO messages (owner_id, kind, channel, user_id, address, member_id, email_change_id, created_at)
VALUES ($1, $2, 'email', $3, $4, $5, $6, $7)
RETURNING id
