-- Every run and every step that names a campaign is of one that there is, or of one whose removal is still carried out.
WITH named AS (
    SELECT r.owner_id, r.campaign_id, r.id AS campaign_contact_id, NULL::bigint AS communication_id
    FROM campaign_contacts r
    UNION ALL
    SELECT s.owner_id, s.campaign_id, s.campaign_contact_id, s.id
    FROM contact_communications s WHERE s.campaign_id IS NOT NULL
)
SELECT n.owner_id, n.campaign_id, n.campaign_contact_id, n.communication_id
FROM named n
WHERE NOT EXISTS (SELECT FROM campaigns c WHERE c.id = n.campaign_id)
  AND NOT EXISTS (SELECT FROM removed_campaigns x WHERE x.id = n.campaign_id)
