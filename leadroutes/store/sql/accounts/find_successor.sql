-- Returns a row when the successor is an active user other than the leaving one.
SELECT true FROM users WHERE id = :successor_id AND is_active AND id <> :user_id
