-- Ends the open requests to pass on leads that someone else has now, or no one.
UPDATE handovers h SET state = 'over', answered_at = :now
FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[]) AS x (owner_id, lead_id)
WHERE h.owner_id = x.owner_id AND h.lead_id = x.lead_id AND h.state = 'asked'
