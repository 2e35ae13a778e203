-- Of those who took part in the last turn of a Round Robin team, no two of equal weight are more than a turn apart.
WITH credit AS (
    SELECT t.owner_id, t.team_id, p.weight, coalesce((t.credits ->> p.user_id::text)::bigint, 0) AS credit,
           sum(p.weight) OVER (PARTITION BY t.owner_id, t.team_id) AS a_turn
    FROM team_turns t
    CROSS JOIN LATERAL unnest(t.present, t.weights) AS p (user_id, weight)
    -- The version before stored no weights. A turn that a junk lead gave back changes no credit, nor does its use.
    WHERE cardinality(t.present) = cardinality(t.weights)
)
SELECT owner_id, team_id, weight, (max(credit) - min(credit)) / min(a_turn) AS turns_apart
FROM credit
GROUP BY owner_id, team_id, weight
HAVING max(credit) - min(credit) > min(a_turn)
