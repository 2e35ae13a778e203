-- Returns what a user has chosen about alerts, and what their time zone is known by; null where nothing was chosen.
SELECT u.timezone, u.phone, p.won, p.claimed, p.unclaimed, p.replied, p.digest, p.quiet_from, p.quiet_to, p.digest_at
FROM users u
LEFT JOIN alert_preferences p ON p.user_id = u.id
WHERE u.id = :user_id
