-- Returns campaign and contact of a run, with the addresses of the contact, when it ended, and the type of the first
-- step with which it would go on, if it was stopped and has one.
SELECT s.type, c.email, c.mobile_phone, r.campaign_id, r.contact_id, r.ended_at
FROM campaign_contacts r
JOIN contacts c ON c.owner_id = r.owner_id AND c.id = r.contact_id
LEFT JOIN contact_communications s ON s.owner_id = r.owner_id AND s.campaign_contact_id = r.id
    AND NOT s.is_active AND s.completed_at = r.ended_at AND s.sent_from_user_id IS NULL
WHERE r.owner_id = :owner_id AND r.id = :campaign_contact_id
ORDER BY s.send_at, s.id
LIMIT 1
