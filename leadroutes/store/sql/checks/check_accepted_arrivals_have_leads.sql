-- An arrival that was accepted, or that touched a lead, refers to its lead; one that became no lead has a reason.
SELECT owner_id, id AS arrival_id, status
FROM arrivals
WHERE lead_id IS NULL AND (reason IS NULL OR status = 'touch')
