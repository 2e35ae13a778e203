-- Who wants a digest has a moment at which the next one is due, and no one else has.
SELECT user_id AS owner_id FROM alert_preferences WHERE (digest_at IS NULL) <> (digest = '{}')
