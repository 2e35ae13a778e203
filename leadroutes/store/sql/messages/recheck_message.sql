-- Returns what may have made a message pointless since begin_sending, in columns named as its status.
SELECT o.state AS offer_state, k.user_id AS claimed_by_user_id, display_name(w) AS claimed_by_name,
       u.is_active AS agent_is_active, cc.is_active AS step_is_active, rc.id IS NOT NULL AS is_campaign_removed,
       display_name(cu) AS step_stopped_by_name, suppressed_because(v.reason) AS contact_suppressed_because,
       m.communication_id IS NOT NULL AND EXISTS (
           SELECT FROM contact_identities ci JOIN received_texts rt ON rt.phone = ci.value AND rt.handled_at IS NULL
           WHERE ci.owner_id = m.owner_id AND ci.contact_id = m.contact_id AND ci.kind = 'phone') AS has_unread_text
FROM messages m
LEFT JOIN users u ON u.id = m.user_id
LEFT JOIN offers o ON o.owner_id = m.owner_id AND o.id = m.offer_id
LEFT JOIN claims k ON k.owner_id = m.owner_id AND k.lead_id = m.lead_id
LEFT JOIN users w ON w.id = k.user_id
LEFT JOIN contacts c ON c.owner_id = m.owner_id AND c.id = m.contact_id
LEFT JOIN LATERAL suppression_of(c.owner_id, c.email) v ON m.channel = 'email'
LEFT JOIN contact_communications cc ON cc.owner_id = m.owner_id AND cc.id = coalesce(m.communication_id, m.due_call_id)
LEFT JOIN removed_campaigns rc ON rc.id = cc.campaign_id
LEFT JOIN users cu ON cu.id = coalesce(cc.completing_user_id, rc.removed_by)
WHERE m.owner_id = :owner_id AND m.id = :message_id
