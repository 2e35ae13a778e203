-- Returns everything that the page of an offer may show; the page decides what is shown.
SELECT o.owner_id, o.lead_id, o.user_id, u.timezone, display_name(owner) AS owner_name, o.state AS offer_state,
       l.created_at, l.unclaimed_at, l.lapses_at, l.type, s.name AS source, l.text_body, l.html_body,
       l.street_address, l.city, l.state, l.zipcode, l.mls_id, l.listing_status, l.listing_price,
       l.inquirer::text AS inquirer,
       (SELECT json_agg(json_build_object('at', e.at, 'detail', e.detail) ORDER BY e.id)::text
        FROM (SELECT * FROM lead_events e
              WHERE e.owner_id = o.owner_id AND e.lead_id = o.lead_id AND e.kind IN ('touched', 'updated')
              ORDER BY e.id DESC LIMIT 20) e) AS touches,
       c.first_name, c.last_name, c.company, c.email, c.secondary_email, c.mobile_phone, c.home_phone, c.office_phone,
       (SELECT suppressed_because(v.reason) FROM suppression_of(c.owner_id, c.email) v) AS email_note,
       k.user_id AS claimed_by_user_id, display_name(w) AS claimed_by_name, k.claimed_at,
       (SELECT e.is_exclusive FROM exclusivity_of(l.owner_id, l.rule_set, l.team_id) e) AS is_exclusive,
       (SELECT min(n.notify_at) FROM offers n
        WHERE n.owner_id = o.owner_id AND n.lead_id = o.lead_id AND n.state = 'scheduled') AS next_notify_at
FROM offers o
JOIN users u ON u.id = o.user_id
JOIN users owner ON owner.id = o.owner_id
JOIN leads l ON l.owner_id = o.owner_id AND l.id = o.lead_id
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
LEFT JOIN users w ON w.id = k.user_id
WHERE o.owner_id = :owner_id AND o.id = :offer_id
