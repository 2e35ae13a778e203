-- A lead that has been routed has at least one offer or a claim.
SELECT leads.owner_id, leads.id AS lead_id
FROM leads
WHERE leads.routed_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM offers WHERE offers.owner_id = leads.owner_id AND offers.lead_id = leads.id)
  AND NOT EXISTS (SELECT FROM claims WHERE claims.owner_id = leads.owner_id AND claims.lead_id = leads.id)
