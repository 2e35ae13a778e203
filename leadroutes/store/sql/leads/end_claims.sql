-- Ends claims. The contact is no longer assigned to whoever had the lead, unless that user has another lead of the
-- contact; open campaign tasks follow to the owner. :owner_ids, :lead_ids and :user_ids are lists of equal length.
WITH ended AS (
    DELETE FROM claims c
    USING unnest(:owner_ids::bigint[], :lead_ids::bigint[], :user_ids::bigint[]) AS x (owner_id, lead_id, user_id)
    WHERE c.owner_id = x.owner_id AND c.lead_id = x.lead_id AND c.user_id = x.user_id
    RETURNING c.owner_id, c.lead_id, c.user_id
), opened AS (
    UPDATE leads l SET claimed_by_user_id = NULL, modified_at = :now FROM ended e
    WHERE l.owner_id = e.owner_id AND l.id = e.lead_id
    RETURNING l.owner_id, l.id, l.contact_id, e.user_id
), freed AS (
    UPDATE contacts c SET assigned_user_id = NULL, modified_at = :now FROM opened o
    WHERE c.owner_id = o.owner_id AND c.id = o.contact_id AND c.assigned_user_id = o.user_id
      AND NOT EXISTS (
          SELECT FROM leads l JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
          WHERE l.owner_id = o.owner_id AND l.contact_id = o.contact_id AND k.user_id = o.user_id AND l.id <> o.id)
    RETURNING c.owner_id, c.id
)
UPDATE tasks t SET assigned_user_id = t.contact_owner_id, modified_at = :now
FROM freed f
WHERE t.contact_owner_id = f.owner_id AND t.contact_id = f.id AND t.follows_contact AND t.status = 'incomplete'
