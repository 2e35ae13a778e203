-- Marks messages as being sent, and returns all that their texts need; nothing for messages that have been dealt with.
-- :owner_ids and :message_ids are sorted, because the messages are locked in this order. was_sending: an earlier
-- attempt began and did not record its outcome. Columns are named as the fields of OutgoingMessage.
WITH locked AS (
    SELECT m.owner_id, m.id, m.state FROM unnest(:owner_ids::bigint[], :message_ids::bigint[]) AS wanted (owner_id, id)
    CROSS JOIN LATERAL (
        SELECT m.owner_id, m.id, m.state FROM messages m
        WHERE m.owner_id = wanted.owner_id AND m.id = wanted.id AND m.state IN ('queued', 'sending')
        FOR NO KEY UPDATE) m
), marked AS (
    UPDATE messages m SET state = 'sending', attempts = m.attempts + 1
    FROM locked WHERE m.owner_id = locked.owner_id AND m.id = locked.id
    RETURNING m.*, locked.state = 'sending' AS was_sending
)
SELECT m.owner_id, m.id, m.kind, m.channel, m.attempts, m.was_sending, m.address, m.member_id, m.email_change_id,
       o.state AS "status.offer_state", k.user_id AS "status.claimed_by_user_id",
       display_name(w) AS "status.claimed_by_name", u.is_active AS "status.agent_is_active",
       cc.is_active AS "status.step_is_active", display_name(cu) AS "status.step_stopped_by_name",
       suppressed_because(v.reason) AS "status.contact_suppressed_because",
       u.id AS "agent.id", u.email AS "agent.email", u.phone AS "agent.phone", u.timezone AS "agent.timezone",
       m.offer_id AS "offer.id", o.reason AS "offer.reason",
       coalesce(lt.offer_mode = 'Exclusive', false) AS "offer.is_exclusive",
       CASE WHEN m.kind = 'offer' THEN (SELECT min(n.notify_at) FROM offers n
            WHERE n.owner_id = m.owner_id AND n.lead_id = m.lead_id AND n.state = 'scheduled') END
           AS "offer.next_notify_at",
       m.lead_id AS "lead.id", l.type AS "lead.type", l.text_body AS "lead.text_body", l.mls_id AS "lead.mls_id",
       l.listing_status AS "lead.listing_status", l.listing_price AS "lead.listing_price",
       l.street_address AS "lead.street_address", l.city AS "lead.city", l.state AS "lead.state",
       l.zipcode AS "lead.zipcode", l.created_at AS "lead.created_at", ls.name AS "lead.source",
       k.claimed_at AS "lead.claimed_at",
       coalesce(CASE WHEN m.contact_id IS NULL THEN l.inquirer ->> 'first_name' END, lc.first_name)
           AS "lead.first_name",
       m.contact_id AS "contact.id", coalesce(c.first_name, lc.first_name) AS "contact.first_name",
       c.last_name AS "contact.last_name", c.email AS "contact.email", c.mobile_phone AS "contact.mobile_phone",
       c.company AS "contact.company", display_name(ow) AS "contact.owner_name",
       ow.postal_address AS "contact.postal_address",
       CASE WHEN m.contact_id IS NOT NULL
           THEN address_digest(c.email, (SELECT salt FROM suppression_salt)) END AS "contact.address_digest",
       g.name AS campaign_name, t.id AS "template.id", t.subject AS "template.subject", t.body AS "template.body",
       s.id AS "sender.id", s.first_name AS "sender.first_name", s.last_name AS "sender.last_name",
       s.email AS "sender.email", s.phone AS "sender.phone", display_name(s) AS "sender.name"
FROM marked m
LEFT JOIN users u ON u.id = m.user_id
LEFT JOIN offers o ON o.owner_id = m.owner_id AND o.id = m.offer_id
LEFT JOIN leads l ON l.owner_id = m.owner_id AND l.id = m.lead_id
LEFT JOIN teams lt ON lt.owner_id = l.owner_id AND lt.id = l.team_id
LEFT JOIN lead_sources ls ON ls.id = l.source_id
LEFT JOIN claims k ON k.owner_id = m.owner_id AND k.lead_id = m.lead_id
LEFT JOIN users w ON w.id = k.user_id
LEFT JOIN contacts lc ON lc.owner_id = l.owner_id AND lc.id = l.contact_id
LEFT JOIN contacts c ON c.owner_id = m.owner_id AND c.id = m.contact_id
LEFT JOIN LATERAL suppression_of(c.owner_id, c.email) v ON m.channel = 'email'
LEFT JOIN users ow ON ow.id = c.owner_id
LEFT JOIN contact_communications cc ON cc.owner_id = m.owner_id AND cc.id = m.communication_id
LEFT JOIN users cu ON cu.id = cc.completing_user_id
LEFT JOIN campaigns g ON g.id = cc.campaign_id
LEFT JOIN templates t ON t.owner_id = g.owner_id AND t.id = cc.template_id
LEFT JOIN users s ON s.id = CASE WHEN m.contact_id IS NOT NULL
    THEN coalesce(cc.assigned_user_id, sender_of(m.owner_id, c.assigned_user_id)) END
