-- Returns what the list of campaigns says of each: whether it is the viewer's own, its steps, for how many contacts
-- that the viewer sees it runs (:most at most), and the viewer's routes that start it: how many, and the first three.
-- planner: per-row lookup
WITH sharer AS MATERIALIZED (
    SELECT :user_id::bigint AS id
    UNION SELECT teammate_id FROM sharing_teammates WHERE user_id = :user_id
    UNION SELECT owner_id FROM sub_accounts WHERE user_id = :user_id AND is_contact_ownership_enabled
), assigned AS MATERIALIZED (
    SELECT r.campaign_id, count(*) AS contacts
    FROM contacts a CROSS JOIN LATERAL (
        SELECT r.campaign_id FROM campaign_contacts r
        WHERE r.owner_id = a.owner_id AND r.contact_id = a.id AND r.ended_at IS NULL OFFSET 0) r
    WHERE a.assigned_user_id = :user_id AND a.owner_id NOT IN (SELECT id FROM sharer)
    GROUP BY r.campaign_id
)
SELECT c.id, c.owner_id = :user_id AS is_own,
       (SELECT count(*) FROM campaign_actions a WHERE a.campaign_id = c.id) AS steps,
       (SELECT count(*) FROM (
            SELECT FROM sharer s CROSS JOIN LATERAL (
                SELECT FROM campaign_contacts r
                WHERE r.owner_id = s.id AND r.campaign_id = c.id AND r.ended_at IS NULL
                ORDER BY r.contact_id LIMIT :most) r  -- the order of the index of what runs
            LIMIT :most) found)
       + coalesce((SELECT a.contacts FROM assigned a WHERE a.campaign_id = c.id), 0) AS contacts,
       (SELECT count(*) FROM lead_routes r WHERE r.campaign_id = c.id AND r.owner_id = :user_id) AS route_count,
       coalesce((SELECT json_agg(json_build_object('id', r.id, 'name', r.name, 'is_active', r.is_active)) FROM (
            SELECT r.id, s.name || coalesce(' (' || nullif(r.filter, '') || ')', '') AS name, r.is_active
            FROM lead_routes r JOIN lead_sources s ON s.id = r.lead_source_id
            WHERE r.campaign_id = c.id AND r.owner_id = :user_id
            ORDER BY r.priority, r.id LIMIT 3) r), '[]')::text AS routes
FROM unnest(:campaign_ids::bigint[]) AS wanted (id) JOIN campaigns c ON c.id = wanted.id
