-- Counts an owner's inquiries: each one received is in exactly one of the other columns; imported leads are counted
-- apart.
WITH lead AS (
    SELECT CASE WHEN l.is_imported THEN 'imported'
                ELSE lead_state(c.claimed_at, l.unclaimed_at, l.routed_at, l.is_imported) END AS state
    FROM leads l
    LEFT JOIN claims c ON c.owner_id = l.owner_id AND c.lead_id = l.id
    WHERE l.owner_id = :owner_id
), rejected AS (
    SELECT count(*) AS count FROM arrivals WHERE owner_id = :owner_id AND status = 'rejected'
)
SELECT
    count(*) FILTER (WHERE state <> 'imported') + (SELECT count FROM rejected) AS received,
    count(*) FILTER (WHERE state = 'claimed') AS claimed,
    count(*) FILTER (WHERE state = 'on offer') AS on_offer,
    count(*) FILTER (WHERE state = 'unclaimed') AS unclaimed,
    count(*) FILTER (WHERE state = 'held') AS held,
    (SELECT count FROM rejected) AS rejected,
    count(*) FILTER (WHERE state = 'imported') AS imported
FROM lead
