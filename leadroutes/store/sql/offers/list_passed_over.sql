-- Lists leads since a moment that are over for a user who was never notified of them, newest first: of teams in which
-- the user is an accepted member. Names are those of other members of the team. Test leads are left out.
-- planner: scalar lookup, per-row lookup
WITH passed AS MATERIALIZED (
    SELECT * FROM (
        (SELECT o.owner_id, o.id, o.lead_id, o.team_id, o.closed_at AS at, o.state, o.reason, o.notify_at
         FROM offers o
         CROSS JOIN LATERAL (SELECT l.created_at FROM leads l
                             WHERE l.owner_id = o.owner_id AND l.id = o.lead_id AND NOT l.is_test OFFSET 0) l
         WHERE o.user_id = :user_id AND o.notified_at IS NULL AND o.state IN ('skipped', 'withdrawn', 'lost')
           AND o.closed_at >= :since AND l.created_at >= :since
           AND (SELECT m.request_status FROM team_members m
                WHERE m.owner_id = o.owner_id AND m.team_id = o.team_id AND m.user_id = o.user_id) = 'Accepted'
         ORDER BY o.closed_at DESC LIMIT :most)
        UNION ALL
        (SELECT o.owner_id, o.id, o.lead_id, o.team_id, o.at, 'left out', o.reason, NULL
         FROM left_out_members o
         CROSS JOIN LATERAL (SELECT l.claimed_by_user_id FROM leads l
                             WHERE l.owner_id = o.owner_id AND l.id = o.lead_id AND NOT l.is_test OFFSET 0) l
         WHERE o.user_id = :user_id AND o.at >= :since AND l.claimed_by_user_id IS DISTINCT FROM o.user_id
           AND (SELECT m.request_status FROM team_members m
                WHERE m.owner_id = o.owner_id AND m.team_id = o.team_id AND m.user_id = o.user_id) = 'Accepted'
         ORDER BY o.at DESC LIMIT :most)
    ) AS found
    ORDER BY at DESC, id DESC LIMIT :most
)
SELECT p.id, p.team_id, p.at, s.name AS source, l.type, l.city, p.state, p.reason, p.notify_at,
       coalesce(l.routed_at, l.created_at) AS routed_at,
       lead_state(k.claimed_at, l.unclaimed_at, l.routed_at, l.is_imported) AS lead_state,
       l.junk_reason IS NOT NULL AS is_junk, k.claimed_at, k.via,
       (SELECT coalesce(nullif(u.first_name, ''), display_name(u)) FROM team_members m JOIN users u ON u.id = m.user_id
        WHERE m.owner_id = p.owner_id AND m.team_id = p.team_id AND m.user_id = k.user_id
          AND m.request_status = 'Accepted') AS winner,
       coalesce((SELECT w.place FROM offers w
                 WHERE w.owner_id = p.owner_id AND w.lead_id = p.lead_id AND w.user_id = k.user_id) = 0, false)
           AS was_winners_turn
FROM passed p
CROSS JOIN LATERAL (SELECT * FROM leads l WHERE l.owner_id = p.owner_id AND l.id = p.lead_id OFFSET 0) l
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN claims k ON k.owner_id = p.owner_id AND k.lead_id = p.lead_id
ORDER BY p.at DESC, p.id DESC
