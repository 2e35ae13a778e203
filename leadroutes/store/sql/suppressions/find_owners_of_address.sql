-- $1 user, $2 channel, $3 an address in its plain form. In whose accounts it is suppressed when this user says so: of the owners
-- of contacts with the address that the user has, or else, and where they are among the user's own, in the user's.
WITH other AS (
    SELECT DISTINCT owner_id FROM contacts
    WHERE $2 = 'email' AND assigned_user_id = $1 AND owner_id <> $1 AND plain_address(email) = $3
)
SELECT owner_id FROM other
UNION ALL
SELECT $1::bigint
WHERE NOT EXISTS (SELECT FROM other) OR EXISTS (SELECT FROM contacts WHERE owner_id = $1 AND lower(email) = $3)
ORDER BY 1
