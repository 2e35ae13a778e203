-- Returns which share of the turns of each team of an owner each member should get: by the weights under Round Robin
-- and Least Loaded, else equal shares.
SELECT o.team_id, o.user_id,
       (w.weight / nullif(sum(w.weight) OVER (PARTITION BY o.team_id), 0))::float8 AS share
FROM team_member_distribution_options o
JOIN teams t ON t.owner_id = o.owner_id AND t.id = o.team_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.order_method IN ('Round Robin', 'Least Loaded') THEN o.weight ELSE 1 END::numeric AS weight
) w
WHERE o.owner_id = :owner_id
