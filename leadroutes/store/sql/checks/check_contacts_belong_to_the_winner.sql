-- The contact of a claimed lead is assigned to the winner, unless the contact was changed since.
SELECT contacts.owner_id, contacts.id AS contact_id, contacts.assigned_user_id, latest.user_id AS claimed_by_user_id
FROM contacts
JOIN LATERAL (
    SELECT min(claims.user_id) AS user_id, claims.claimed_at
    FROM leads
    JOIN claims ON claims.owner_id = leads.owner_id AND claims.lead_id = leads.id
    WHERE leads.owner_id = contacts.owner_id AND leads.contact_id = contacts.id
    GROUP BY claims.claimed_at
    HAVING count(DISTINCT claims.user_id) = 1
    ORDER BY claims.claimed_at DESC
    LIMIT 1
) AS latest ON latest.claimed_at = contacts.modified_at
WHERE contacts.assigned_user_id IS DISTINCT FROM latest.user_id
