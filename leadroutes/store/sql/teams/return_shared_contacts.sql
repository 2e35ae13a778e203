-- :user_ids users whom the change concerns, :now now. Contacts that a sharing teammate of their owner has assigned to someone go back
-- where the two do not share any more, or where that someone is no teammate of the owner or has no account. A lead that was
-- won stays with the winner, and so does its contact. Open tasks of campaigns go with the contact.
WITH ended AS (
    DELETE FROM shared_assignments s
    WHERE (s.owner_id = ANY (:user_ids::bigint[]) OR s.user_id = ANY (:user_ids::bigint[]) OR s.by_user_id = ANY (:user_ids::bigint[]))
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
