-- Returns what the example brokerage has added to an account, null if it is not loaded, and whether a real lead has
-- come.
SELECT u.email, e.records::text AS records,
       EXISTS (SELECT FROM leads l WHERE l.owner_id = u.id AND is_counted(l)) AS has_leads
FROM users u LEFT JOIN example_brokerages e ON e.owner_id = u.id
WHERE u.id = :owner_id
