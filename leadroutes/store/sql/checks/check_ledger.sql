-- Received is the sum of claimed, on offer, unclaimed, held and rejected: each lead is in exactly one of them.
WITH counted_lead AS (
    SELECT leads.owner_id,
           claims.lead_id IS NOT NULL AS is_claimed,
           claims.lead_id IS NULL AND leads.routed_at IS NOT NULL AND leads.unclaimed_at IS NULL
               AND EXISTS (SELECT FROM offers WHERE offers.owner_id = leads.owner_id AND offers.lead_id = leads.id
                           AND offers.state IN ('scheduled', 'notified')) AS is_on_offer,
           claims.lead_id IS NULL AND leads.unclaimed_at IS NOT NULL AS is_unclaimed,
           claims.lead_id IS NULL AND leads.routed_at IS NULL AND leads.unclaimed_at IS NULL AS is_held
    FROM leads
    LEFT JOIN claims ON claims.owner_id = leads.owner_id AND claims.lead_id = leads.id
    WHERE NOT leads.is_imported
), counted AS (
    SELECT owner_id, count(*) AS leads, count(*) FILTER (WHERE is_claimed) AS claimed,
           count(*) FILTER (WHERE is_on_offer) AS on_offer, count(*) FILTER (WHERE is_unclaimed) AS unclaimed,
           count(*) FILTER (WHERE is_held) AS held
    FROM counted_lead
    GROUP BY owner_id
)
SELECT owner_id, leads, claimed, on_offer, unclaimed, held
FROM counted
WHERE leads <> claimed + on_offer + unclaimed + held
