-- Returns texts of a contact that are still to leave, in other runs than this one: they count for the same day. With
-- what decides whether they say anything then: the conditions of the step, its words, and what these are filled in
-- from.
SELECT s.owner_id, s.id, s.type, r.id AS run_id, r.lead_id, a.conditions::text AS conditions, t.id AS template_id,
       t.subject, t.body, g.name AS campaign_name,
       step_sender(s.owner_id, s.assigned_user_id, c.assigned_user_id) AS sender_id
FROM contact_communications s
JOIN contacts c ON c.owner_id = s.owner_id AND c.id = s.contact_id
LEFT JOIN campaign_contacts r ON r.owner_id = s.owner_id AND r.id = s.campaign_contact_id
LEFT JOIN campaigns g ON g.id = s.campaign_id
LEFT JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = s.action_id
LEFT JOIN templates t ON t.owner_id = g.owner_id AND t.id = s.template_id
WHERE s.owner_id = :owner_id AND s.contact_id = :contact_id AND s.is_active AND s.taken_at IS NULL
  AND coalesce(s.campaign_id, 0) <> ALL (ARRAY(SELECT x.id FROM removed_campaigns x))
  AND s.type = 'Text Contact' AND s.campaign_contact_id IS DISTINCT FROM :run_id
ORDER BY s.send_at LIMIT 200
