-- Returns the actions of a campaign with what decides when their steps leave for a contact (as load_step_facts does),
-- who sends them, and the steps of the run that goes on for the contact, if one does; the templates are those that the
-- actions have for the contact (:action_ids, :template_ids), of steps that are made already their own. pauses: they
-- wait until someone has the lead. stopped: why the last run was stopped, unless one goes on. is_changing: a change of
-- the action is still carried over to contacts.
-- planner: computed once
WITH person AS MATERIALIZED (
    SELECT c.owner_id, c.id, c.assigned_user_id, c.time_zone, c.mobile_phone, c.email, c.birthday,
           ARRAY(SELECT concat_ws('|', coalesce(d.zip, ''), d.state) FROM contact_addresses d
                 WHERE d.owner_id = c.owner_id AND d.contact_id = c.id ORDER BY d.id LIMIT 20) AS addresses,
           ARRAY(SELECT l.zipcode FROM leads l
                 WHERE l.owner_id = c.owner_id AND l.contact_id = c.id AND l.zipcode IS NOT NULL
                 ORDER BY l.touched_at DESC LIMIT 10) AS inquiry_zipcodes,
           (SELECT max(l.touched_at) FROM leads l WHERE l.owner_id = c.owner_id AND l.contact_id = c.id) AS inquired_at,
           ARRAY(SELECT coalesce(m.sent_at, x.taken_at)
                 FROM contact_communications x
                 LEFT JOIN messages m ON m.owner_id = x.owner_id AND m.communication_id = x.id
                 WHERE x.owner_id = c.owner_id AND x.contact_id = c.id AND x.type = 'Text Contact'
                   AND x.taken_at > :now::timestamptz - interval '2 days'
                   AND (m.sent_at IS NOT NULL OR m.state IN ('queued', 'sending', 'unknown'))
                 ORDER BY 1) AS texts
    FROM contacts c WHERE c.owner_id = :owner_id AND c.id = :contact_id
), run AS MATERIALIZED (
    SELECT r.owner_id, r.id, r.lead_id, r.created_at FROM campaign_contacts r
    WHERE r.owner_id = :owner_id AND r.campaign_id = :campaign_id AND r.contact_id = :contact_id AND r.ended_at IS NULL
), last AS MATERIALIZED (
    SELECT coalesce(r.stopped_because, 'it was stopped by ' || display_name(u)) AS stopped
    FROM campaign_contacts r
    LEFT JOIN users u ON u.id = r.stopped_by_user_id
    WHERE r.owner_id = :owner_id AND r.campaign_id = :campaign_id AND r.contact_id = :contact_id
      AND NOT EXISTS (SELECT FROM run)
    ORDER BY r.id DESC LIMIT 1
)
SELECT a.id AS action_id, a.type, g.name AS campaign_name, g.send_window::text AS campaign_window,
       a.send_window::text AS step_window, g.first_answer_minutes, t.id AS template_id, t.subject, t.body,
       a.conditions::text AS conditions,
       p.time_zone AS contact_zone, u.timezone AS sender_zone, u.id AS sender_id, p.mobile_phone AS phone, p.email,
       p.addresses, p.inquiry_zipcodes, p.inquired_at, p.texts, run.id AS run_id, run.created_at AS started_at,
       run.lead_id, last.stopped,
       coalesce(g.pause_on_offer AND is_without_claim(run.owner_id, run.lead_id), false) AS pauses,
       CASE a.type
           WHEN 'Email Contact' THEN (
               SELECT suppressed_because(v.reason) FROM suppression_of(p.owner_id, p.email) v WHERE p.email <> '')
           WHEN 'Text Contact' THEN (
               SELECT texts_suppressed_because(v.reason) FROM suppressions v
               WHERE v.owner_id = p.owner_id AND v.channel = 'text' AND v.ended_at IS NULL
                 AND v.digest = (SELECT address_digest(p.mobile_phone, k.salt) FROM suppression_salt k)
               ORDER BY NOT is_own_wish(v.reason), v.at, v.id LIMIT 1) END AS suppressed_because,
       s.id AS communication_id, s.send_at, s.late_from, s.is_active, s.is_held, s.taken_at, s.completed_at,
       s.sent_from_user_id, m.reason, m.leaves_at AS message_leaves_at,
       run.id IS NOT NULL AND EXISTS (
           SELECT FROM changed_actions x WHERE x.action_id = a.id AND x.done_at IS NULL) AS is_changing
FROM campaigns g
JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.campaign_id = g.id
CROSS JOIN person p
LEFT JOIN run ON true
LEFT JOIN last ON true
LEFT JOIN users u ON u.id = step_sender(p.owner_id, a.assigned_user_id, p.assigned_user_id)
LEFT JOIN LATERAL (
    SELECT * FROM contact_communications s
    WHERE s.owner_id = run.owner_id AND s.campaign_contact_id = run.id AND s.action_id = a.id
    ORDER BY s.id DESC LIMIT 1) s ON true
LEFT JOIN messages m ON m.owner_id = s.owner_id AND m.communication_id = s.id
LEFT JOIN unnest(:action_ids::bigint[], :template_ids::bigint[]) AS w (action_id, template_id) ON w.action_id = a.id
LEFT JOIN templates t ON t.owner_id = g.owner_id
    AND t.id = CASE WHEN s.id IS NULL THEN w.template_id ELSE s.template_id END
WHERE g.id = :campaign_id
ORDER BY a.id
