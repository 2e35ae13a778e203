-- $1 owner, $2 how many. His latest leads and who has them.
SELECT l.id, l.created_at, l.type, l.city, l.zipcode, l.listing_price, s.name AS source,
       coalesce(nullif(btrim(concat_ws(' ', c.first_name, c.last_name)), ''), c.email, 'Somebody') AS name,
       display_name(w) AS claimed_by_name, k.via,
       CASE WHEN k.user_id IS NOT NULL THEN 'claimed' WHEN l.is_imported THEN 'imported'
            WHEN l.routed_at IS NULL THEN 'held' WHEN l.unclaimed_at IS NOT NULL THEN 'unclaimed' ELSE 'on offer' END AS fate,
       (SELECT string_agg(display_name(u), ', ' ORDER BY o.place, o.id)
        FROM offers o JOIN users u ON u.id = o.user_id
        WHERE o.owner_id = l.owner_id AND o.lead_id = l.id AND o.state = 'notified') AS offered_to
FROM leads l
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
LEFT JOIN users w ON w.id = k.user_id
WHERE l.owner_id = $1
ORDER BY l.id DESC
LIMIT $2
