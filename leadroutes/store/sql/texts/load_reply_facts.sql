-- Returns what an answer to an agent says: who the person is whose lead it was, and who has the lead.
SELECT coalesce(nullif(concat_ws(' ', l.inquirer ->> 'first_name', l.inquirer ->> 'last_name'), ''),
                nullif(concat_ws(' ', c.first_name, c.last_name), '')) AS name,
       coalesce(l.inquirer ->> 'phone', nullif(c.mobile_phone, ''), nullif(c.home_phone, ''),
                nullif(c.office_phone, '')) AS phone,
       coalesce(l.inquirer ->> 'email', nullif(c.email, '')) AS email, l.street_address AS street,
       k.user_id AS claimed_by_user_id, k.claimed_at, coalesce(nullif(w.first_name, ''), display_name(w)) AS winner,
       u.timezone, owner.timezone AS owner_timezone
FROM leads l
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
JOIN users u ON u.id = :user_id
JOIN users owner ON owner.id = l.owner_id
LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
LEFT JOIN users w ON w.id = k.user_id
WHERE l.owner_id = :owner_id AND l.id = :lead_id
