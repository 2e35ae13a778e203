-- Marks messages as being sent, and returns all that their texts need; nothing for messages that have been dealt with.
-- :owner_ids and :message_ids are sorted, because the messages are locked in this order. was_sending: an earlier
-- attempt began and did not record its outcome; else what the provider said of earlier attempts counts no more. A
-- campaign that was started by hand speaks of the newest lead. Columns are named as the fields of OutgoingMessage.
-- planner: per-row lookup
WITH locked AS (
    SELECT m.owner_id, m.id, m.state FROM unnest(:owner_ids::bigint[], :message_ids::bigint[]) AS wanted (owner_id, id)
    CROSS JOIN LATERAL (
        SELECT m.owner_id, m.id, m.state FROM messages m
        WHERE m.owner_id = wanted.owner_id AND m.id = wanted.id
        OFFSET 0
        FOR NO KEY UPDATE) m
    WHERE m.state IN ('queued', 'sending')
), marked AS (
    UPDATE messages m
    SET state = 'sending', attempts = m.attempts + 1, leaves_at = NULL,
        provider_id = CASE WHEN locked.state = 'sending' THEN m.provider_id END,
        provider_state = CASE WHEN locked.state = 'sending' THEN m.provider_state END,
        error_code = CASE WHEN locked.state = 'sending' THEN m.error_code END
    FROM locked WHERE m.owner_id = locked.owner_id AND m.id = locked.id
    RETURNING m.*, locked.state = 'sending' AS was_sending
)
SELECT m.owner_id, m.id, m.kind, m.channel, m.attempts, m.was_sending, m.address, m.member_id, m.email_change_id,
       m.password_link_id, m.provider_id, m.provider_state, m.arrival_id, m.sent_from, m.webhook_id, m.reason,
       CASE WHEN m.kind IN ('answer', 'confirmation') THEN m.text_body END AS text_body,
       o.state AS "status.offer_state", k.user_id AS "status.claimed_by_user_id",
       display_name(w) AS "status.claimed_by_name", u.is_active AS "status.agent_is_active",
       coalesce(cc.is_active, dc.is_active) AS "status.step_is_active",
       rc.id IS NOT NULL AS "status.is_campaign_removed",
       display_name(cu) AS "status.step_stopped_by_name",
       suppressed_because(v.reason) AS "status.contact_suppressed_because",
       u.id AS "agent.id", u.email AS "agent.email", u.phone AS "agent.phone", u.timezone AS "agent.timezone",
       ao.timezone AS "agent.owners_timezone", ap.quiet_from AS "agent.quiet_from", ap.quiet_to AS "agent.quiet_to",
       m.offer_id AS "offer.id", o.reason AS "offer.reason", display_name(ou) AS "offer.member_name",
       m.kind = 'offer' AND (SELECT e.is_exclusive FROM exclusivity_of(l.owner_id, l.rule_set, l.team_id) e)
           AS "offer.is_exclusive",
       CASE WHEN m.kind = 'offer' THEN (SELECT min(n.notify_at) FROM offers n
            WHERE n.owner_id = m.owner_id AND n.lead_id = m.lead_id AND n.state = 'scheduled') END
           AS "offer.next_notify_at",
       l.id AS "lead.id", l.type AS "lead.type", l.text_body AS "lead.text_body", l.mls_id AS "lead.mls_id",
       l.listing_status AS "lead.listing_status", l.listing_price AS "lead.listing_price",
       l.street_address AS "lead.street_address", l.city AS "lead.city", l.state AS "lead.state",
       l.zipcode AS "lead.zipcode", l.created_at AS "lead.created_at", ls.name AS "lead.source",
       k.claimed_at AS "lead.claimed_at", coalesce(l.is_test, false) AS "lead.is_test",
       CASE WHEN m.kind = 'untold' THEN (SELECT string_agg(display_name(n), ', ' ORDER BY n.id) FROM offers f
            JOIN users n ON n.id = f.user_id AND n.id <> m.user_id
            WHERE f.owner_id = m.owner_id AND f.lead_id = m.lead_id AND f.reason = 'could not be told') END
           AS "lead.untold_names",
       coalesce(CASE WHEN m.contact_id IS NULL THEN l.inquirer ->> 'first_name' END, lc.first_name)
           AS "lead.first_name",
       m.contact_id AS "contact.id", coalesce(c.first_name, lc.first_name) AS "contact.first_name",
       c.last_name AS "contact.last_name", c.email AS "contact.email", c.mobile_phone AS "contact.mobile_phone",
       c.company AS "contact.company", display_name(ow) AS "contact.owner_name",
       ow.postal_address AS "contact.postal_address",
       CASE WHEN m.contact_id IS NOT NULL
           THEN address_digest(c.email, (SELECT salt FROM suppression_salt)) END AS "contact.address_digest",
       m.communication_id, (g.send_window IS NOT NULL OR EXISTS (
           SELECT FROM campaign_actions w
           WHERE w.owner_id = g.owner_id AND w.id = cc.action_id AND w.send_window IS NOT NULL)) AS has_window,
       m.communication_id IS NOT NULL AND EXISTS (
           SELECT FROM contact_identities ci JOIN received_texts rt ON rt.phone = ci.value AND rt.handled_at IS NULL
           WHERE ci.owner_id = m.owner_id AND ci.contact_id = m.contact_id AND ci.kind = 'phone')
           AS "status.has_unread_text",
       dc.id AS "call.id", dc.contact_id AS "call.contact_id", kc.first_name AS "call.first_name",
       kc.last_name AS "call.last_name", kc.email AS "call.email", kc.company AS "call.company",
       coalesce(nullif(kc.mobile_phone, ''), nullif(kc.home_phone, ''), nullif(kc.office_phone, '')) AS "call.phone",
       e.id AS "event.id", e.contact_id AS "event.contact_id", e.source AS "event.source",
       e.description AS "event.text",
       coalesce(nullif(concat_ws(' ', ec.first_name, ec.last_name), ''), ec.mobile_phone) AS "event.contact_name",
       ow.id AS "owner.id", ow.first_name AS "owner.first_name", ow.last_name AS "owner.last_name",
       ow.email AS "owner.email", ow.phone AS "owner.phone", display_name(ow) AS "owner.name",
       CASE WHEN a.id IS NOT NULL THEN cc.action_id END AS action_id, a.conditions::text AS conditions,
       g.name AS campaign_name, t.id AS "template.id", t.subject AS "template.subject", t.body AS "template.body",
       s.id AS "sender.id", s.first_name AS "sender.first_name", s.last_name AS "sender.last_name",
       s.email AS "sender.email", s.phone AS "sender.phone", s.system_phone AS "sender.system_phone",
       display_name(s) AS "sender.name",
       sg.text_body AS "sender.signature_text", sg.html_body AS "sender.signature_html"
FROM marked m
LEFT JOIN users u ON u.id = m.user_id
LEFT JOIN users ao ON ao.id = CASE WHEN u.id IS NOT NULL THEN m.owner_id END
LEFT JOIN alert_preferences ap ON ap.user_id = u.id
LEFT JOIN offers o ON o.owner_id = m.owner_id AND o.id = m.offer_id
LEFT JOIN users ou ON ou.id = o.user_id
LEFT JOIN leads l ON l.owner_id = m.owner_id AND l.id = CASE WHEN m.lead_id IS NULL AND m.kind = 'campaign' THEN (
    SELECT max(n.id) FROM leads n WHERE n.owner_id = m.owner_id AND n.contact_id = m.contact_id AND n.id > 0)
    ELSE m.lead_id END
LEFT JOIN lead_sources ls ON ls.id = l.source_id
LEFT JOIN claims k ON k.owner_id = m.owner_id AND k.lead_id = m.lead_id
LEFT JOIN users w ON w.id = k.user_id
LEFT JOIN contacts lc ON lc.owner_id = l.owner_id AND lc.id = l.contact_id
LEFT JOIN contacts c ON c.owner_id = m.owner_id AND c.id = m.contact_id
LEFT JOIN LATERAL suppression_of(c.owner_id, c.email) v ON m.channel = 'email'
LEFT JOIN contact_communications dc ON dc.owner_id = m.owner_id AND dc.id = m.due_call_id
LEFT JOIN contacts kc ON kc.owner_id = dc.owner_id AND kc.id = dc.contact_id
LEFT JOIN users ow ON ow.id = coalesce(c.owner_id, kc.owner_id)
LEFT JOIN contact_communications cc ON cc.owner_id = m.owner_id AND cc.id = m.communication_id
LEFT JOIN removed_campaigns rc ON rc.id = coalesce(cc.campaign_id, dc.campaign_id)
LEFT JOIN users cu ON cu.id = coalesce(cc.completing_user_id, rc.removed_by)
LEFT JOIN events e ON e.owner_id = m.owner_id AND e.id = m.event_id
LEFT JOIN contacts ec ON ec.owner_id = e.owner_id AND ec.id = e.contact_id
LEFT JOIN campaigns g ON g.id = coalesce(cc.campaign_id, dc.campaign_id)
LEFT JOIN templates t ON t.owner_id = g.owner_id AND t.id = coalesce(cc.template_id, dc.template_id)
LEFT JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = cc.action_id
LEFT JOIN users s ON s.id = CASE WHEN m.contact_id IS NOT NULL
    THEN step_sender(m.owner_id, cc.assigned_user_id, c.assigned_user_id) WHEN dc.id IS NOT NULL THEN m.user_id END
LEFT JOIN signatures sg ON sg.owner_id = s.id AND sg.is_default
