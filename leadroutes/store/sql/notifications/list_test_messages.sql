-- Lists the last messages by which a user has tried channels, one for each, of the newest thousand of the account.
SELECT DISTINCT ON (m.channel) m.channel, m.state, m.reason, m.created_at, m.sent_at
FROM (SELECT * FROM messages WHERE owner_id = :user_id ORDER BY id DESC LIMIT 1000) m
WHERE m.kind = 'test' AND m.user_id = :user_id
ORDER BY m.channel, m.id DESC
