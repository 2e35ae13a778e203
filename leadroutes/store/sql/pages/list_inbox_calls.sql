-- Lists the calls that campaigns have asked a user for and that are still to be made, the longest due first.
-- planner: per-row lookup, hidden value
SELECT s.id, iso(s.send_at) AS due_at, s.contact_id, s.lead_id, concat_ws(' ', c.first_name, c.last_name) AS name,
       c.email, coalesce(c.mobile_phone, c.home_phone, c.office_phone) AS phone,
       coalesce(g.name, s.campaign_name) AS campaign, t.description AS template
FROM contact_communications s
CROSS JOIN LATERAL (
    SELECT * FROM contacts c
    WHERE c.owner_id = s.owner_id AND c.id = s.contact_id
      AND (c.owner_id = (SELECT :user_id::bigint) OR c.assigned_user_id = (SELECT :user_id::bigint)) OFFSET 0) c
LEFT JOIN campaigns g ON g.id = s.campaign_id
LEFT JOIN templates t ON t.owner_id = g.owner_id AND t.id = s.template_id
WHERE s.asked_user_id = (SELECT :user_id::bigint) AND s.is_active
  AND coalesce(s.campaign_id, 0) <> ALL (ARRAY(SELECT x.id FROM removed_campaigns x))
ORDER BY s.send_at, s.id
LIMIT (SELECT :most::bigint)
