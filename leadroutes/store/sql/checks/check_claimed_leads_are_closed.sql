-- Once a lead is claimed, none of its offers is open.
SELECT claims.owner_id, claims.lead_id, offers.user_id, offers.state
FROM claims
JOIN offers ON offers.owner_id = claims.owner_id AND offers.lead_id = claims.lead_id
WHERE offers.state IN ('scheduled', 'notified')
