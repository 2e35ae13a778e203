-- Returns which of the first steps of an account are done, by what is stored, and the newest intake key that works.
SELECT
    EXISTS (SELECT FROM team_members m WHERE m.owner_id = :owner_id AND m.user_id <> :owner_id)
        OR (:is_admin::boolean AND EXISTS (SELECT FROM users u WHERE u.id <> :owner_id AND u.is_active)) AS has_people,
    EXISTS (SELECT FROM team_members m WHERE m.owner_id = :owner_id AND m.request_status <> 'Declined') AS has_team,
    k.id IS NOT NULL AS has_source,
    k.id AS intake_key_id,
    EXISTS (SELECT FROM lead_routes r WHERE r.owner_id = :owner_id AND r.is_active) AS has_route,
    t.id IS NOT NULL OR EXISTS (SELECT FROM leads l WHERE l.owner_id = :owner_id) AS has_lead,
    t.id AS test_lead_id
FROM (SELECT) one
LEFT JOIN LATERAL (
    SELECT k.id FROM intake_keys k WHERE k.owner_id = :owner_id AND k.revoked_at IS NULL ORDER BY k.id DESC LIMIT 1
) k ON true
LEFT JOIN LATERAL (
    SELECT l.id FROM leads l WHERE l.owner_id = :owner_id AND l.is_test ORDER BY l.id DESC LIMIT 1
) t ON true
