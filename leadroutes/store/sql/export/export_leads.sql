-- Exports an owner's leads with their states, oldest first, under column names that an import reads. Test leads are
-- left out.
SELECT l.id AS lead_number,
       to_char(l.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS received_at,
       s.name AS lead_source, cs.name AS contact_source, l.type, c.first_name, c.last_name, c.email,
       coalesce(c.mobile_phone, c.home_phone, c.office_phone) AS phone,
       l.street_address, l.city, l.state, l.zipcode, l.listing_price AS price, l.mls_id, l.text_body AS message,
       lead_state(k.claimed_at, l.unclaimed_at, l.routed_at, l.is_imported) AS fate,
       display_name(u) AS claimed_by, k.via AS claimed_via,
       to_char(k.claimed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS claimed_at,
       l.is_closed, l.junk_reason, l.junk_note
FROM leads l
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN contact_sources cs ON cs.owner_id = c.owner_id AND cs.id = c.source_id
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
LEFT JOIN users u ON u.id = k.user_id
WHERE l.owner_id = :owner_id AND is_counted(l)
ORDER BY l.created_at, l.id
