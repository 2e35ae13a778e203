-- Unassigns contacts that a sharing teammate of the owner had assigned, where the sharing has ended, or where the
-- assigned user is no longer an active teammate of the owner. A contact of a lead that the assigned user has won stays.
-- Open campaign tasks follow the contact. :user_ids are all users whom the change concerns.
WITH ended AS (
    DELETE FROM shared_assignments s
    WHERE (s.owner_id = ANY (:user_ids::bigint[]) OR s.user_id = ANY (:user_ids::bigint[])
           OR s.by_user_id = ANY (:user_ids::bigint[]))
      AND NOT (
          EXISTS (SELECT FROM sharing_teammates t WHERE t.user_id = s.owner_id AND t.teammate_id = s.by_user_id)
          AND (s.user_id = s.owner_id OR EXISTS (
              SELECT FROM teammates t JOIN users u ON u.id = t.teammate_id AND u.is_active
              WHERE t.user_id = s.owner_id AND t.teammate_id = s.user_id)))
    RETURNING s.owner_id, s.contact_id, s.user_id
), returned AS (
    UPDATE contacts c SET assigned_user_id = NULL, modified_at = :now
    FROM ended e
    WHERE c.owner_id = e.owner_id AND c.id = e.contact_id AND c.assigned_user_id = e.user_id
      AND NOT EXISTS (
          SELECT FROM leads l JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
          WHERE l.owner_id = c.owner_id AND l.contact_id = c.id AND k.user_id = e.user_id)
    RETURNING c.owner_id, c.id
)
UPDATE tasks t SET assigned_user_id = t.contact_owner_id, modified_at = :now
FROM returned r
WHERE t.contact_owner_id = r.owner_id AND t.contact_id = r.id AND t.follows_contact AND t.status = 'incomplete'
