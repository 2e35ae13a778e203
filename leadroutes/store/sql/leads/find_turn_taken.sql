-- Returns the team in which a lead took a turn, and whose turn that was; no row where it took none or the team is gone.
SELECT l.team_id, (l.facts ->> 'turn')::bigint AS user_id
FROM leads l
JOIN team_turns t ON t.owner_id = l.owner_id AND t.team_id = l.team_id
WHERE l.owner_id = :owner_id AND l.id = :lead_id AND l.facts ? 'turn' AND NOT l.is_test
