-- Exports an owner's contacts, oldest first.
SELECT c.id AS contact_number,
       to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
       cs.name AS contact_source, c.first_name, c.last_name, c.email, c.secondary_email, c.mobile_phone, c.home_phone,
       c.office_phone, c.company, c.birthday, c.anniversary, c.spouse_name, c.spouse_email, c.spouse_phone, c.tags,
       h.name AS hotness, display_name(u) AS assigned_to,
       to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS unsubscribed_at
FROM contacts c
CROSS JOIN suppression_salt k
LEFT JOIN (
    SELECT digest, min(at) AS at FROM suppressions
    WHERE owner_id = :owner_id AND channel = 'email' AND ended_at IS NULL AND is_own_wish(reason)
    GROUP BY digest) s ON s.digest = address_digest(c.email, k.salt)
LEFT JOIN contact_sources cs ON cs.owner_id = c.owner_id AND cs.id = c.source_id
LEFT JOIN hotnesses h ON h.id = c.hotness_id
LEFT JOIN users u ON u.id = c.assigned_user_id
WHERE c.owner_id = :owner_id
ORDER BY c.created_at, c.id
