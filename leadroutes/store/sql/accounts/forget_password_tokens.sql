-- Ends the links that set a user's password and were sent to an e-mail that has changed; they can be sent again.
UPDATE password_links SET token_hash = NULL WHERE user_id = :user_id AND used_at IS NULL
