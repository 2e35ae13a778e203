-- A lead that is on offer has a moment at which it becomes unclaimed; one that is claimed or unclaimed has none.
SELECT leads.owner_id, leads.id AS lead_id, leads.lapses_at, leads.unclaimed_at, claims.user_id AS claimed_by_user_id
FROM leads
LEFT JOIN claims ON claims.owner_id = leads.owner_id AND claims.lead_id = leads.id
WHERE (leads.lapses_at IS NOT NULL)
   <> (leads.routed_at IS NOT NULL AND claims.lead_id IS NULL AND leads.unclaimed_at IS NULL)
