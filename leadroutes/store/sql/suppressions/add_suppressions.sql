-- Adds suppressions that are not in force yet and returns them. All parameters but :by_user_id are arrays; :values are
-- addresses, or phones in E.164; :by_user_id may be null.
INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, by_user_id)
SELECT x.owner_id, x.channel, plain_address(x.value), address_digest(x.value, k.salt), x.reason, x.at,
       :by_user_id::bigint
FROM unnest(:owner_ids::bigint[], :channels::text[], :values::text[], :reasons::text[],
            :moments::timestamptz[]) AS x (owner_id, channel, value, reason, at),
     suppression_salt k
ORDER BY 1, 2, 4, 5, x.at
ON CONFLICT DO NOTHING
RETURNING owner_id, id
