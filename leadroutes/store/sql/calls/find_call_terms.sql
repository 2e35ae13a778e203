-- Returns by whose clock a member is called, and whether at night, too.
SELECT agent.timezone, agent.phone, owner.timezone AS owners_timezone,
       coalesce(d.has_night_calls, false) AS has_night_calls
FROM users agent
JOIN users owner ON owner.id = :owner_id
LEFT JOIN offers o ON o.owner_id = owner.id AND o.id = :offer_id
LEFT JOIN team_member_distribution_options d
    ON d.owner_id = o.owner_id AND d.team_id = o.team_id AND d.user_id = agent.id
WHERE agent.id = :user_id
