-- What one member of a team gains by a turn the others lose: the credits of a team sum up to nothing.
SELECT team_turns.owner_id, team_turns.team_id, sum(credit.value::bigint) AS credits
FROM team_turns
CROSS JOIN LATERAL jsonb_each_text(team_turns.credits) AS credit
GROUP BY team_turns.owner_id, team_turns.team_id
HAVING sum(credit.value::bigint) <> 0
