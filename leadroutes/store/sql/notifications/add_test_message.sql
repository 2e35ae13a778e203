-- Adds a message by which a user tries a channel, and returns its id; nothing where one was asked for since :after.
INSERT INTO messages (owner_id, kind, channel, user_id, created_at)
SELECT :user_id::bigint, 'test', :channel::text, :user_id::bigint, :now::timestamptz
WHERE NOT EXISTS (SELECT FROM (SELECT * FROM messages WHERE owner_id = :user_id ORDER BY id DESC LIMIT 1000) m
                  WHERE m.kind = 'test' AND m.channel = :channel AND m.created_at > :after)
RETURNING id
