-- As long as a Round Robin team stays the same, the turns of members of equal weight differ by one at most.
WITH line_up AS (
    SELECT rule_sets.owner_id, rule_sets.number, team.key::bigint AS team_id,
           jsonb_agg(jsonb_build_array(member.value -> 'user_id', member.value -> 'option' -> 'weight')
                     ORDER BY (member.value ->> 'user_id')::bigint) AS members
    FROM rule_sets
    CROSS JOIN LATERAL jsonb_each(rule_sets.rules -> 'teams') AS team
    CROSS JOIN LATERAL jsonb_array_elements(team.value -> 'members') AS member
    WHERE team.value ->> 'order_method' = 'Round Robin'
      AND member.value ->> 'request_status' = 'Accepted'
      AND jsonb_typeof(member.value -> 'option') = 'object'
      AND (rule_sets.rules -> 'people' -> (member.value ->> 'user_id') ->> 'is_active')::boolean
    GROUP BY rule_sets.owner_id, rule_sets.number, team.key
), stable AS (
    SELECT owner_id, team_id, min(members::text)::jsonb AS members
    FROM line_up
    GROUP BY owner_id, team_id
    HAVING count(DISTINCT members) = 1
), credit AS (
    SELECT stable.owner_id, stable.team_id, (member ->> 1)::bigint AS weight,
           coalesce((team_turns.credits ->> (member ->> 0))::bigint, 0) AS credit,
           sum((member ->> 1)::bigint) OVER (PARTITION BY stable.owner_id, stable.team_id) AS a_turn
    FROM stable
    JOIN team_turns ON team_turns.owner_id = stable.owner_id AND team_turns.team_id = stable.team_id
    CROSS JOIN LATERAL jsonb_array_elements(stable.members) AS member
)
SELECT owner_id, team_id, weight, (max(credit) - min(credit)) / min(a_turn) AS turns_apart
FROM credit
GROUP BY owner_id, team_id, weight
HAVING max(credit) - min(credit) > min(a_turn)
