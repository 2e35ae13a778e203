-- A lead names the user who has claimed it, and none while it is not claimed.
SELECT leads.owner_id, leads.id AS lead_id, leads.claimed_by_user_id, claims.user_id AS claim_user_id
FROM leads
LEFT JOIN claims ON claims.owner_id = leads.owner_id AND claims.lead_id = leads.id
WHERE leads.claimed_by_user_id IS DISTINCT FROM claims.user_id
