-- Returns the version that the rule set :number of an owner belongs to, with the number of the version before, or 0.
SELECT v.number, v.at, v.user_id, coalesce((
    SELECT p.number FROM rule_versions p WHERE p.owner_id = v.owner_id AND p.number < v.number
    ORDER BY p.number DESC LIMIT 1), 0) AS previous
FROM rule_versions v
WHERE v.owner_id = :owner_id AND v.number <= :number
  AND :number <= (SELECT u.rules_version FROM users u WHERE u.id = :owner_id)
ORDER BY v.number DESC
LIMIT 1
