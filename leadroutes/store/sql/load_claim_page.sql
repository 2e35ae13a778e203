-- $1 owner, $2 lead, $3 user. All that this user's page of the lead can show; what of it he may see, the page decides.
-- ends_at: when his offer ends (Exclusive: with the next one's beginning), else when the lead is called unclaimed.
SELECT l.owner_id, l.id AS lead_id, u.id AS user_id, u.timezone, display_name(owner) AS owner_name,
       o.state AS offer_state, o.notified_at,
       k.user_id AS claimed_by_user_id, display_name(w) AS claimed_by_name, k.claimed_at,
       l.unclaimed_at, l.routed_at, l.created_at, l.type, s.name AS source, l.text_body,
       l.street_address, l.city, l.state, l.zipcode, l.mls_id, l.listing_status, l.listing_price,
       c.first_name, c.last_name, c.email, c.mobile_phone, c.home_phone, c.office_phone,
       coalesce(t.offer_mode = 'Exclusive' AND following.notify_at IS NOT NULL, false) AS is_exclusive,
       CASE WHEN l.unclaimed_at IS NULL THEN
           CASE WHEN t.offer_mode = 'Exclusive' THEN coalesce(following.notify_at, l.lapses_at) ELSE l.lapses_at END
       END AS ends_at
FROM leads l
JOIN users u ON u.id = $3
JOIN users owner ON owner.id = l.owner_id
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN offers o ON o.owner_id = l.owner_id AND o.lead_id = l.id AND o.user_id = $3
LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
LEFT JOIN users w ON w.id = k.user_id
LEFT JOIN teams t ON t.owner_id = l.owner_id AND t.id = l.team_id
LEFT JOIN LATERAL (
    SELECT min(n.notify_at) AS notify_at FROM offers n
    WHERE n.owner_id = l.owner_id AND n.lead_id = l.id AND n.state = 'scheduled'
) following ON true
WHERE l.owner_id = $1 AND l.id = $2
