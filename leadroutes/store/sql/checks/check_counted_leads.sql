-- What is counted of a lead is what the lead and its claim say.
WITH meant AS (
    SELECT owner_id, lead_id, day, hour, source_id, route_id, state, user_id, claim_place, is_junk FROM countable_leads
), counted AS (
    SELECT owner_id, lead_id, day, hour, source_id, route_id, state, user_id, claim_place, is_junk FROM counted_leads
)
(SELECT 'not counted' AS fault, * FROM (SELECT * FROM meant EXCEPT SELECT * FROM counted) missing)
UNION ALL
(SELECT 'counted in vain', * FROM (SELECT * FROM counted EXCEPT SELECT * FROM meant) superfluous)
