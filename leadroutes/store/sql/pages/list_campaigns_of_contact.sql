-- Lists the campaigns that run for a contact, the latest first, with the moment of the next message of each.
SELECT r.id, r.campaign_id, c.name, r.created_at,
       (SELECT min(m.send_at) FROM contact_communications m
        WHERE m.owner_id = r.owner_id AND m.campaign_contact_id = r.id AND m.is_active) AS next_at
FROM campaign_contacts r
JOIN campaigns c ON c.id = r.campaign_id
WHERE r.owner_id = :owner_id AND r.contact_id = :contact_id AND r.ended_at IS NULL
ORDER BY r.id DESC
LIMIT :most
