-- Lists an owner's latest leads: who claimed each and when, or to whom it is on offer and since when, and whose alerts
-- failed permanently.
SELECT l.id, coalesce(nullif(concat_ws(' ', l.inquirer ->> 'first_name', l.inquirer ->> 'last_name'), ''),
                      concat_ws(' ', c.first_name, c.last_name)) AS name,
       l.city, l.type, s.name AS source, l.created_at,
       lead_state(k.claimed_at, l.unclaimed_at, l.routed_at, l.is_imported) AS state, l.unclaimed_at, k.claimed_at,
       display_name(w) AS claimed_by_name, notified.names, notified.since, failed.names AS failed_names
FROM (SELECT * FROM leads WHERE owner_id = :owner_id ORDER BY id DESC LIMIT 50) AS l
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
LEFT JOIN users w ON w.id = k.user_id
CROSS JOIN LATERAL (
    SELECT string_agg(display_name(u), ', ' ORDER BY o.place, o.id) AS names, max(o.notified_at) AS since
    FROM offers o JOIN users u ON u.id = o.user_id
    WHERE o.owner_id = l.owner_id AND o.lead_id = l.id AND o.state = 'notified'
) AS notified
CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT display_name(u), ', ') AS names
    FROM messages m JOIN users u ON u.id = m.user_id
    WHERE m.owner_id = l.owner_id AND m.lead_id = l.id AND m.state = 'failed' AND m.kind IN ('offer', 'unclaimed')
      AND NOT EXISTS (
          SELECT FROM messages other
          WHERE other.owner_id = m.owner_id AND other.lead_id = m.lead_id AND other.user_id = m.user_id
            AND other.kind = m.kind AND other.state IN ('queued', 'sending', 'sent', 'unknown')
      )
) AS failed
ORDER BY l.id DESC
