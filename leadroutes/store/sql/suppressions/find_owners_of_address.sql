-- Returns the owners in whose accounts an address is to be suppressed when this user asks for it: owners of contacts
-- with the address that are assigned to the user; and the user, where there are none, or the user's own contacts have
-- it. :address is in plain form.
WITH other AS (
    SELECT DISTINCT owner_id FROM contacts
    WHERE :channel = 'email' AND assigned_user_id = :user_id AND owner_id <> :user_id
      AND plain_address(email) = :address
)
SELECT owner_id FROM other
UNION ALL
SELECT :user_id::bigint
WHERE NOT EXISTS (SELECT FROM other)
   OR EXISTS (SELECT FROM contacts WHERE owner_id = :user_id AND lower(email) = :address)
ORDER BY 1
