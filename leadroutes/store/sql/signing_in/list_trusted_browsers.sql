-- Lists the browsers that a user trusts, the newest first.
SELECT id, browser, network, created_at, expires_at FROM trusted_browsers
WHERE user_id = :user_id AND expires_at > now() ORDER BY id DESC LIMIT 200
