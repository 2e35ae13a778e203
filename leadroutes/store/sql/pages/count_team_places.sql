-- Returns for teams of an owner how many members have accepted, how many are in the line-up, how many are invited, and
-- how many routes name the team.
SELECT t.id AS team_id,
    (SELECT count(*) FROM team_places p WHERE p.owner_id = t.owner_id AND p.team_id = t.id
        AND p.request_status = 'Accepted') AS members,
    (SELECT count(*) FROM team_member_distribution_options o JOIN team_members m
        ON m.owner_id = o.owner_id AND m.team_id = o.team_id AND m.user_id = o.user_id AND m.request_status = 'Accepted'
        WHERE o.owner_id = t.owner_id AND o.team_id = t.id) AS in_line_up,
    (SELECT count(*) FROM team_places p WHERE p.owner_id = t.owner_id AND p.team_id = t.id
        AND p.request_status = 'Pending') AS invited,
    (SELECT count(*) FROM lead_routes r WHERE r.owner_id = t.owner_id AND r.team_id = t.id) AS routes
FROM teams t
WHERE t.owner_id = :owner_id AND t.id = ANY (:team_ids::bigint[])
