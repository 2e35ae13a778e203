-- Counts an owner's inquiries: each one received is in exactly one of the other columns; imported leads are counted
-- apart.
SELECT
    count(*) FILTER (WHERE NOT l.is_imported) + r.rejected AS received,
    count(*) FILTER (WHERE NOT l.is_imported AND c.lead_id IS NOT NULL) AS claimed,
    count(*) FILTER (WHERE NOT l.is_imported AND c.lead_id IS NULL AND l.routed_at IS NOT NULL
                       AND l.unclaimed_at IS NULL) AS on_offer,
    count(*) FILTER (WHERE NOT l.is_imported AND c.lead_id IS NULL AND l.unclaimed_at IS NOT NULL) AS unclaimed,
    count(*) FILTER (WHERE NOT l.is_imported AND c.lead_id IS NULL AND l.routed_at IS NULL
                       AND l.unclaimed_at IS NULL) AS held,
    r.rejected,
    count(*) FILTER (WHERE l.is_imported) AS imported
FROM (SELECT count(*) AS rejected FROM arrivals WHERE owner_id = :owner_id AND status = 'rejected') AS r
LEFT JOIN leads l ON l.owner_id = :owner_id
LEFT JOIN claims c ON c.owner_id = l.owner_id AND c.lead_id = l.id
GROUP BY r.rejected
