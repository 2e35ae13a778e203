-- A lead is claimed at or after the moment at which it arrived.
SELECT claims.owner_id, claims.lead_id, leads.created_at, claims.claimed_at
FROM claims
JOIN leads ON leads.owner_id = claims.owner_id AND leads.id = claims.lead_id
WHERE claims.claimed_at < leads.created_at
