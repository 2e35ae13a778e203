-- Deletes what else the owner has asked this user by; what the user accepts now replaces it.
DELETE FROM delegates WHERE owner_id = :owner_id AND user_id = :user_id AND id <> :delegate_id
