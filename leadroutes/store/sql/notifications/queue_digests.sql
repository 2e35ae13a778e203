-- Adds a message to each of the users that are :wanted for each channel of their digest, and one to their browsers, and
-- moves the digest of all users to its next moment; lists of equal length. Returns the messages.
-- planner: per-row lookup, scalar lookup
WITH digest AS MATERIALIZED (
    SELECT x.user_id, x.is_wanted, u.channels
    FROM unnest(:user_ids::bigint[], :wanted::boolean[]) AS x (user_id, is_wanted)
    CROSS JOIN LATERAL (SELECT alert_channels(u, 'digest') AS channels FROM users u WHERE u.id = x.user_id OFFSET 0) u
), moved AS (
    UPDATE alert_preferences p SET digest_at = x.next_at
    FROM unnest(:user_ids::bigint[], :next_at::timestamptz[]) AS x (user_id, next_at)
    WHERE p.user_id = x.user_id
)
INSERT INTO messages (owner_id, kind, channel, user_id, created_at)
SELECT d.user_id, 'digest', c.channel, d.user_id, :now::timestamptz
FROM digest d
CROSS JOIN LATERAL (
    SELECT unnest(d.channels) AS channel
    UNION
    SELECT 'push' WHERE cardinality(d.channels) > 0) c
WHERE d.is_wanted
  AND (c.channel <> 'push'
       OR (SELECT s.id FROM push_subscriptions s WHERE s.user_id = d.user_id LIMIT 1) IS NOT NULL)
RETURNING owner_id, id
