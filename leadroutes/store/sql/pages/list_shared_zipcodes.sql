-- Returns the ZIP codes of a team that other teams of its owner have as well, with the name of such a team. `is_first`
-- says whether that one gets the leads: the lowest id does.
SELECT DISTINCT ON (z.zipcode) z.zipcode, o.id AS team_id, o.name, o.id < t.id AS is_first
FROM teams t
CROSS JOIN LATERAL unnest(t.distribution_zipcodes) AS z (zipcode)
JOIN teams o ON o.owner_id = t.owner_id AND o.id <> t.id AND o.distribution_zipcodes @> ARRAY[z.zipcode]
WHERE t.owner_id = :owner_id AND t.id = :team_id
ORDER BY z.zipcode, o.id
