-- An arrival that was accepted, or that touched a lead, names its lead; a rejected one says why.
SELECT owner_id, id AS arrival_id, status
FROM arrivals
WHERE (status IN ('accepted', 'touch') AND lead_id IS NULL) OR (status = 'rejected' AND reason IS NULL)
