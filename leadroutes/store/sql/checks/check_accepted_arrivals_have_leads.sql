-- An arrival that was accepted, or that touched a lead, names its lead; one that makes none says why.
SELECT owner_id, id AS arrival_id, status
FROM arrivals
WHERE lead_id IS NULL AND (reason IS NULL OR status = 'touch')
