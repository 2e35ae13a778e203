-- Lists the campaigns that were stopped for a contact and can go on, the latest first: those with something that was
-- not sent, and that have not been started again.
SELECT r.id, r.campaign_id, g.name, r.ended_at, r.stopped_because AS reason, display_name(u) AS stopped_by
FROM campaign_contacts r
JOIN campaigns g ON g.id = r.campaign_id
LEFT JOIN users u ON u.id = r.stopped_by_user_id
WHERE r.owner_id = :owner_id AND r.contact_id = :contact_id
  AND num_nonnulls(r.stopped_by_user_id, r.stopped_because) > 0
  AND NOT EXISTS (SELECT FROM campaign_contacts later
                  WHERE later.owner_id = r.owner_id AND later.contact_id = r.contact_id
                    AND later.campaign_id = r.campaign_id AND later.id > r.id)
  AND EXISTS (SELECT FROM contact_communications c
              WHERE c.owner_id = r.owner_id AND c.campaign_contact_id = r.id AND NOT c.is_active
                AND c.completed_at = r.ended_at AND c.sent_from_user_id IS NULL)
ORDER BY r.ended_at DESC, r.id DESC
LIMIT :most
