-- Returns what a message of a campaign to this contact would use now, for each of these senders, in their order: the
-- contact, its lead (the newest one where none is given), and the sender: the user of the step, or where that is null
-- whoever has the contact. Columns are named as the fields of OutgoingMessage.
SELECT c.id AS "contact.id", c.first_name AS "contact.first_name", c.last_name AS "contact.last_name",
       c.email AS "contact.email", c.mobile_phone AS "contact.mobile_phone", c.company AS "contact.company",
       display_name(ow) AS "contact.owner_name", ow.postal_address AS "contact.postal_address",
       l.id AS "lead.id", l.type AS "lead.type", l.text_body AS "lead.text_body", l.mls_id AS "lead.mls_id",
       l.listing_status AS "lead.listing_status", l.listing_price AS "lead.listing_price",
       l.street_address AS "lead.street_address", l.city AS "lead.city", l.state AS "lead.state",
       l.zipcode AS "lead.zipcode", l.created_at AS "lead.created_at", ls.name AS "lead.source",
       s.id AS "sender.id", s.first_name AS "sender.first_name", s.last_name AS "sender.last_name",
       s.email AS "sender.email", s.phone AS "sender.phone", display_name(s) AS "sender.name",
       sg.text_body AS "sender.signature_text", sg.html_body AS "sender.signature_html",
       ow.id AS "owner.id", ow.first_name AS "owner.first_name", ow.last_name AS "owner.last_name",
       ow.email AS "owner.email", ow.phone AS "owner.phone", display_name(ow) AS "owner.name"
FROM contacts c
JOIN users ow ON ow.id = c.owner_id
CROSS JOIN unnest(:sender_ids::bigint[]) WITH ORDINALITY AS w (sender_id, place)
LEFT JOIN users s ON s.id = coalesce(w.sender_id, sender_of(c.owner_id, c.assigned_user_id))
LEFT JOIN signatures sg ON sg.owner_id = s.id AND sg.is_default
LEFT JOIN LATERAL (
    SELECT * FROM leads l WHERE l.owner_id = c.owner_id AND l.contact_id = c.id AND l.id > 0
      AND (:lead_id::bigint IS NULL OR l.id = :lead_id) ORDER BY l.id DESC LIMIT 1) l ON true
LEFT JOIN lead_sources ls ON ls.id = l.source_id
WHERE c.owner_id = :owner_id AND c.id = :contact_id
ORDER BY w.place
