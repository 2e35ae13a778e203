-- A turn that waits to be used was given back once, by a junk lead of that team, and is of the member who had it.
WITH waiting AS (
    SELECT t.owner_id, t.team_id, (w.turn ->> 0)::bigint AS user_id, (w.turn ->> 1)::bigint AS lead_id
    FROM team_turns t CROSS JOIN LATERAL jsonb_array_elements(t.given_back) AS w (turn)
)
SELECT w.owner_id, w.team_id, w.user_id, w.lead_id, count(*) AS turns
FROM waiting w
JOIN leads l ON l.owner_id = w.owner_id AND l.id = w.lead_id
GROUP BY w.owner_id, w.team_id, w.user_id, w.lead_id, l.owner_id, l.id
HAVING count(*) > 1 OR l.junk_reason IS NULL OR NOT l.is_turn_given_back OR l.team_id IS DISTINCT FROM w.team_id
    OR (l.facts ->> 'turn')::bigint IS DISTINCT FROM w.user_id
