-- :owner_id owner, :kind kind, :user_id user or null, :address address or null, :member_id member or null, :email_change_id change of e-mail or null, :now now. An e-mail
-- about an account; the address is the user's where none is given.
INSERT INTO messages (owner_id, kind, channel, user_id, address, member_id, email_change_id, created_at)
VALUES (:owner_id, :kind, 'email', :user_id, :address, :member_id, :email_change_id, :now)
RETURNING id
