-- Returns when members are available, each for one owner: what the member says, and time off that is not over, the
-- member's own and what this owner made. :owner_ids and :user_ids are lists of equal length.
-- planner: per-row lookup
SELECT w.owner_id, w.user_id, a.timezone, a.weekly_hours::text AS weekly_hours, a.is_paused, a.paused_until,
       (SELECT coalesce(json_agg(json_build_array(f.starts_at, f.ends_at) ORDER BY f.starts_at), '[]')
        FROM (SELECT f.starts_at, f.ends_at FROM time_off f
              WHERE f.user_id = w.user_id AND f.ends_at > :now AND f.owner_id IN (w.user_id, w.owner_id)
              ORDER BY f.ends_at LIMIT :most) f)::text AS off
FROM unnest(:owner_ids::bigint[], :user_ids::bigint[]) AS w (owner_id, user_id)
CROSS JOIN LATERAL (
    SELECT coalesce(a.timezone, u.timezone) AS timezone, a.weekly_hours, a.is_paused, a.paused_until
    FROM availabilities a JOIN users u ON u.id = a.id WHERE a.id = w.user_id OFFSET 0
) a
