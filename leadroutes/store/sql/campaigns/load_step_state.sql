-- Returns what the conditions of a campaign's step may ask when its message is about to be sent: the contact and, with
-- :with_custom, the values of the owner's own fields; the lead that started the campaign, whether someone has it; what
-- has been sent, and whether the contact has answered, since the campaign began. Without a message: of a contact, its
-- run and lead, if there are any.
-- planner: scalar lookup
SELECT coalesce(c.email, c.secondary_email) AS email, coalesce(c.mobile_phone, c.home_phone, c.office_phone) AS phone,
       c.tags, c.mobile_phone,
       (SELECT coalesce(json_agg(json_build_array(f.name, v.value) ORDER BY f.rank, f.id), '[]')
        FROM custom_fields f
        LEFT JOIN custom_field_values v
            ON v.owner_id = f.owner_id AND v.contact_id = c.id AND v.custom_field_id = f.id
        WHERE f.owner_id = c.owner_id AND :with_custom::boolean)::text AS custom,
       l.id AS lead_id,
       l.id IS NOT NULL AND (SELECT o.id FROM leads o
        WHERE o.owner_id = c.owner_id AND o.contact_id = c.id AND o.id <> l.id AND is_counted(o)
          AND (o.created_at, o.id) < (l.created_at, l.id)
        LIMIT 1) IS NOT NULL AS has_earlier_lead,
       EXISTS (SELECT FROM claims k WHERE k.owner_id = l.owner_id AND k.lead_id = l.id) AS is_claimed,
       (SELECT count(*) FROM contact_communications s
        WHERE s.owner_id = r.owner_id AND s.campaign_contact_id = r.id
          AND s.sent_from_user_id IS NOT NULL) AS steps_sent,
       EXISTS (SELECT FROM events e
        WHERE e.owner_id = c.owner_id AND e.contact_id = c.id AND e.type IN ('text_received', 'email_received')
          AND e.created_at >= r.created_at) AS has_replied
FROM (SELECT) one
LEFT JOIN messages m ON m.owner_id = :owner_id AND m.id = :message_id
LEFT JOIN contact_communications cc ON cc.owner_id = :owner_id AND cc.id = m.communication_id
JOIN contacts c ON c.owner_id = :owner_id AND c.id = coalesce(m.contact_id, :contact_id)
LEFT JOIN campaign_contacts r ON r.owner_id = :owner_id AND r.id = coalesce(cc.campaign_contact_id, :run_id)
LEFT JOIN leads l ON l.owner_id = :owner_id AND l.id = coalesce(cc.lead_id, :lead_id)
