-- :user_id user, :channel channel, :address an address in its plain form. In whose accounts it is suppressed when this user says so: of the owners
-- of contacts with the address that the user has, or else, and where they are among the user's own, in the user's.
WITH other AS (
    SELECT DISTINCT owner_id FROM contacts
    WHERE :channel = 'email' AND assigned_user_id = :user_id AND owner_id <> :user_id AND plain_address(email) = :address
)
SELECT owner_id FROM other
UNION ALL
SELECT :user_id::bigint
WHERE NOT EXISTS (SELECT FROM other) OR EXISTS (SELECT FROM contacts WHERE owner_id = :user_id AND lower(email) = :address)
ORDER BY 1
