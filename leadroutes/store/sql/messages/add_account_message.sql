-- Adds an e-mail about an account and returns its id. The user's address is used where :address is null; :user_id,
-- :member_id, :email_change_id, :password_link_id and :webhook_id may be null.
INSERT INTO messages (owner_id, kind, channel, user_id, address, member_id, email_change_id, password_link_id,
                      webhook_id, created_at)
VALUES (:owner_id, :kind, 'email', :user_id, :address, :member_id, :email_change_id, :password_link_id,
        :webhook_id, :now)
RETURNING id
