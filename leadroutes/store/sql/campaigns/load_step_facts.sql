-- Returns what decides whether campaign steps may leave; named as the fields of StepFacts; what binds texts and calls
-- alone is null for mails. texts: when the contact was sent texts in the last two days, those included that are being
-- sent or may have arrived, and when others were queued unless :only_sent. A text whose turn has come has been taken
-- after it was queued. The sender, whose zone counts where that of the contact is not known, is null elsewhere unless
-- :with_senders.
-- planner: per-row lookup
SELECT s.owner_id, s.id, s.id AS communication_id, s.type, s.send_at, s.late_from, s.waits_rule, s.held_by,
       g.send_window::text AS campaign_window, a.send_window::text AS step_window, c.time_zone AS contact_zone,
       u.timezone AS sender_zone, u.id AS sender_id, coalesce(g.first_answer_minutes, 0) AS first_answer_minutes,
       coalesce(a.trigger_type = 2, false) AS is_of_birthdays,
       CASE WHEN s.type <> 'Email Contact' THEN c.mobile_phone END AS phone,
       CASE WHEN s.type <> 'Email Contact' THEN ARRAY(
           SELECT concat_ws('|', coalesce(d.zip, ''), d.state) FROM contact_addresses d
           WHERE d.owner_id = s.owner_id AND d.contact_id = s.contact_id ORDER BY d.id LIMIT 20) END AS addresses,
       CASE WHEN s.type <> 'Email Contact' THEN ARRAY(
           SELECT l.zipcode FROM leads l
           WHERE l.owner_id = s.owner_id AND l.contact_id = s.contact_id AND l.zipcode IS NOT NULL
           ORDER BY l.touched_at DESC LIMIT 10) END AS inquiry_zipcodes,
       CASE WHEN s.type = 'Text Contact' AND g.first_answer_minutes > 0 THEN (
           SELECT max(l.touched_at) FROM leads l
           WHERE l.owner_id = s.owner_id AND l.contact_id = s.contact_id) END AS inquired_at,
       CASE WHEN s.type = 'Text Contact' THEN ARRAY(
           SELECT coalesce(m.sent_at, x.taken_at)
           FROM contact_communications x
           LEFT JOIN messages m ON m.owner_id = x.owner_id AND m.communication_id = x.id
           WHERE x.owner_id = s.owner_id AND x.contact_id = s.contact_id AND x.type = 'Text Contact' AND x.id <> s.id
             AND x.taken_at > :now::timestamptz - interval '2 days'
             AND (m.sent_at IS NOT NULL OR m.state = 'unknown' OR m.state = 'sending' AND x.taken_at > m.created_at
                  OR m.state IN ('queued', 'sending') AND NOT :only_sent::boolean)
           ORDER BY 1) END AS texts
FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[]) AS wanted (owner_id, id)
CROSS JOIN LATERAL (
    SELECT * FROM contact_communications s WHERE s.owner_id = wanted.owner_id AND s.id = wanted.id OFFSET 0) s
CROSS JOIN LATERAL (SELECT * FROM contacts c WHERE c.owner_id = s.owner_id AND c.id = s.contact_id OFFSET 0) c
LEFT JOIN campaigns g ON g.id = s.campaign_id
LEFT JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = s.action_id
LEFT JOIN users u ON u.id = CASE WHEN c.time_zone IS NULL OR :with_senders::boolean
    THEN step_sender(s.owner_id, s.assigned_user_id, c.assigned_user_id) END
ORDER BY s.send_at, s.id
