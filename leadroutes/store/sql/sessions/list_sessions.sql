-- Lists a user's sessions, the one of :token_hash (a sha256) first, then those that were used last.
SELECT id, created_at, last_used_at, browser, network, token_hash = :token_hash AS is_current
FROM sessions WHERE user_id = :user_id AND expires_at > now()
ORDER BY is_current DESC, last_used_at DESC, id
LIMIT 200
