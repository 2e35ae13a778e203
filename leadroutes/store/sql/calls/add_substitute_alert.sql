-- Adds the alert that takes the place of one by another channel: by the first of :channels by which the same alert has
-- not failed. Returns a row where there is such a channel, with the new message; its id is null where the member gets
-- one by that channel anyway.
WITH alert AS (
    SELECT m.* FROM messages m WHERE m.owner_id = :owner_id AND m.id = :message_id
), other AS (
    SELECT m.channel, m.state FROM messages m
    JOIN alert a ON m.owner_id = a.owner_id AND m.lead_id = a.lead_id AND m.user_id = a.user_id AND m.kind = a.kind
    WHERE m.created_at >= a.created_at
), chosen AS (
    SELECT x.channel FROM unnest(:channels::text[]) WITH ORDINALITY AS x (channel, place)
    WHERE NOT EXISTS (SELECT FROM other WHERE other.channel = x.channel AND other.state IN ('failed', 'suppressed'))
    ORDER BY x.place LIMIT 1
), added AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)
    SELECT a.owner_id, a.kind, chosen.channel, a.lead_id, a.offer_id, a.user_id, a.created_at
    FROM alert a, chosen
    WHERE NOT EXISTS (SELECT FROM other WHERE other.channel = chosen.channel)
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT added.id FROM chosen LEFT JOIN added ON true
