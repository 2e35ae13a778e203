-- A lead that has not been routed has no offers.
SELECT leads.owner_id, leads.id AS lead_id, offers.user_id
FROM leads
JOIN offers ON offers.owner_id = leads.owner_id AND offers.lead_id = leads.id
WHERE leads.routed_at IS NULL
