-- Returns the time zone of an account, the day that it is there, and whether the caller is its owner; no row unless the
-- caller owns it or is an accepted member of one of its teams.
SELECT coalesce((SELECT z.timezone FROM counting_zones z WHERE z.owner_id = u.id AND z.since <= :now::timestamptz
                 ORDER BY z.since DESC LIMIT 1), 'UTC') AS timezone,
       owner_time(u.id, :now::timestamptz)::date AS today, u.id = :user_id AS is_owner
FROM users u
WHERE u.id = :owner_id
  AND (u.id = :user_id OR EXISTS (SELECT FROM team_members m WHERE m.user_id = :user_id AND m.owner_id = u.id
                                  AND m.request_status = 'Accepted'))
