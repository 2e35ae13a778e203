-- Marks messages as being sent, and returns all that their texts need; nothing for messages that have been dealt with.
-- :owner_ids and :message_ids are sorted, because the messages are locked in this order. was_sending: an earlier
-- attempt began and did not record its outcome.
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
SELECT m.owner_id, m.id, m.kind, m.channel, m.lead_id, m.offer_id, m.contact_id, m.communication_id, m.member_id,
       m.email_change_id, m.address, m.attempts, m.was_sending,
       u.email AS user_email, u.phone AS user_phone, u.first_name AS user_first_name, u.timezone AS user_timezone,
       u.is_active AS user_is_active,
       o.state AS offer_state, o.notify_at, o.reason AS offer_reason,
       CASE WHEN m.kind = 'offer' THEN (SELECT min(n.notify_at) FROM offers n
            WHERE n.owner_id = m.owner_id AND n.lead_id = m.lead_id AND n.state = 'scheduled') END AS next_notify_at,
       coalesce(lt.offer_mode = 'Exclusive', false) AS is_exclusive,
       k.user_id AS claimed_by_user_id, k.claimed_at, display_name(w) AS claimed_by_name,
       l.unclaimed_at, l.lapses_at, l.type AS lead_type, l.text_body AS lead_text_body, l.mls_id, l.listing_status,
       l.listing_price, l.street_address, l.city, l.state AS lead_state, l.zipcode, l.created_at AS lead_created_at,
       ls.name AS lead_source,
       coalesce(c.first_name, CASE WHEN m.contact_id IS NULL THEN l.inquirer ->> 'first_name' END, lc.first_name)
           AS contact_first_name, c.last_name AS contact_last_name,
       c.email AS contact_email, c.mobile_phone AS contact_mobile_phone, c.company AS contact_company,
       suppressed_because(v.reason) AS contact_suppressed_because,
       CASE WHEN m.contact_id IS NOT NULL
           THEN address_digest(c.email, (SELECT salt FROM suppression_salt)) END AS address_digest,
       display_name(ow) AS owner_name, ow.postal_address,
       cc.is_active AS communication_is_active, display_name(cu) AS stopped_by_name, g.name AS campaign_name,
       t.subject AS template_subject, t.body AS template_body, t.id AS template_id,
       s.id AS sender_id, s.first_name AS sender_first_name, s.last_name AS sender_last_name, s.email AS sender_email,
       s.phone AS sender_phone, display_name(s) AS sender_name
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
