-- Lists the leads that a user has claimed, latest first, with the person to call.
SELECT k.lead_id, k.claimed_at, concat_ws(' ', c.first_name, c.last_name) AS name, c.email,
       coalesce(c.mobile_phone, c.home_phone, c.office_phone) AS phone, l.city, l.type, s.name AS source,
       o.id AS offer_id
FROM claims k
JOIN leads l ON l.owner_id = k.owner_id AND l.id = k.lead_id
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN offers o ON o.owner_id = k.owner_id AND o.lead_id = k.lead_id AND o.user_id = k.user_id
    AND o.notified_at IS NOT NULL
WHERE k.user_id = :user_id
ORDER BY k.lead_id DESC
LIMIT 20
