-- $1 owners, $2 channels, $3 addresses or phones in E.164, $4 reasons, $5 moments, $6 who enters them, or null. Those that are not in
-- force yet are added; answers them, one row each.
INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, by_user_id)
SELECT x.owner_id, x.channel, plain_address(x.value), address_digest(x.value, k.salt), x.reason, x.at, $6::bigint
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS x (owner_id, channel, value, reason, at),
     suppression_salt k
ORDER BY 1, 2, 4, 5, x.at
ON CONFLICT DO NOTHING
RETURNING owner_id, id
