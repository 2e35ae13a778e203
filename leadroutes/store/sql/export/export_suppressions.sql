-- Exports an owner's suppressions, also those that were lifted, by whom and with what consent. Suppressions of erased
-- persons have no address and are left out.
SELECT s.channel, s.value, s.reason, to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
       u.email AS entered_by, to_char(s.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS ended_at,
       e.email AS ended_by, s.consent
FROM suppressions s
LEFT JOIN users u ON u.id = s.by_user_id
LEFT JOIN users e ON e.id = s.ended_by_user_id
WHERE s.owner_id = :owner_id AND s.value IS NOT NULL
ORDER BY s.at, s.id
