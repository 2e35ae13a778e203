-- Adds a link that sets a password and returns its id; nothing if the user has :most open ones of this purpose.
-- :lifetime is real time.
INSERT INTO password_links (user_id, purpose, expires_at)
SELECT :user_id, :purpose, now() + :lifetime::interval
WHERE (SELECT count(*) FROM password_links
       WHERE user_id = :user_id AND purpose = :purpose AND used_at IS NULL AND expires_at > now()) < :most
ON CONFLICT (user_id) WHERE purpose = 'invitation' AND used_at IS NULL DO NOTHING
RETURNING id
