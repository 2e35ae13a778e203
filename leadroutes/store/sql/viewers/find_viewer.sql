-- Returns what decides which pages a user is shown: marks, whether the user has an account of their own to run, and
-- whether leads are offered to the user by others, whether the user acts for another owner; and when the user is
-- available, as the user says.
SELECT u.is_admin, u.is_broker, u.email, u.phone,
    EXISTS (SELECT FROM lead_sources s WHERE s.owner_id = u.id)
        OR EXISTS (SELECT FROM lead_routes r WHERE r.owner_id = u.id)
        OR EXISTS (SELECT FROM teams t WHERE t.owner_id = u.id)
        OR EXISTS (SELECT FROM leads l WHERE l.owner_id = u.id) AS has_account,
    EXISTS (SELECT FROM team_members m WHERE m.user_id = u.id AND m.request_status = 'Accepted') AS is_member,
    EXISTS (SELECT FROM delegates d WHERE d.user_id = u.id AND d.accepted_at IS NOT NULL) AS is_delegate,
    coalesce(a.timezone, u.timezone) AS timezone, a.weekly_hours::text AS weekly_hours,
    coalesce(a.is_paused, false) AS is_paused, a.paused_until,
    (SELECT coalesce(json_agg(json_build_array(f.starts_at, f.ends_at) ORDER BY f.starts_at), '[]')
     FROM (SELECT f.starts_at, f.ends_at FROM time_off f WHERE f.user_id = u.id AND f.owner_id = u.id
           ORDER BY f.ends_at DESC LIMIT 200) f)::text AS off
FROM users u
LEFT JOIN availabilities a ON a.id = u.id
WHERE u.id = :user_id
