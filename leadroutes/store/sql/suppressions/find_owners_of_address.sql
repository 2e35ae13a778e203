-- Returns the owners in whose accounts an address is to be suppressed when this user asks for it: owners of contacts
-- with the address that are assigned to the user; and the user, where there are none, or the user's own contacts have
-- it. :address is in plain form: an e-mail, or a phone in E.164.
WITH other AS (
    SELECT owner_id FROM contacts
    WHERE :channel = 'email' AND assigned_user_id = :user_id AND owner_id <> :user_id
      AND plain_address(email) = :address
    UNION
    SELECT i.owner_id FROM contact_identities i
    JOIN contacts c ON c.owner_id = i.owner_id AND c.id = i.contact_id
    WHERE :channel <> 'email' AND i.kind = 'phone' AND i.value = :address AND i.owner_id <> :user_id
      AND c.assigned_user_id = :user_id
)
SELECT owner_id FROM other
UNION ALL
SELECT :user_id::bigint
WHERE NOT EXISTS (SELECT FROM other)
   OR EXISTS (SELECT FROM contacts WHERE owner_id = :user_id AND lower(email) = :address)
   OR EXISTS (SELECT FROM contact_identities WHERE owner_id = :user_id AND kind = 'phone' AND value = :address)
ORDER BY 1
