-- An imported lead is history: neither routed nor offered.
SELECT leads.owner_id, leads.id AS lead_id
FROM leads
WHERE leads.is_imported
  AND (leads.routed_at IS NOT NULL
       OR EXISTS (SELECT FROM offers WHERE offers.owner_id = leads.owner_id AND offers.lead_id = leads.id))
