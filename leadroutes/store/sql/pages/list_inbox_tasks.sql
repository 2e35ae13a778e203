-- Lists the tasks of a user that are due, the most overdue first, with the contact where the user sees it.
-- planner: per-row lookup, hidden value
SELECT t.id, iso(t.due_at) AS due_at, t.action_type, t.description, c.id AS contact_id,
       concat_ws(' ', c.first_name, c.last_name) AS name, c.email,
       coalesce(c.mobile_phone, c.home_phone, c.office_phone) AS phone,
       (SELECT l.id FROM leads l WHERE l.owner_id = c.owner_id AND l.contact_id = c.id AND l.id > 0
        ORDER BY l.id DESC LIMIT 1) AS lead_id
FROM (
    SELECT * FROM tasks t
    WHERE t.assigned_user_id = (SELECT :user_id::bigint) AND t.status = 'incomplete'
      AND t.due_at <= (SELECT :now::timestamptz)
    ORDER BY t.due_at, t.id LIMIT (SELECT :most::bigint)
) AS t
LEFT JOIN LATERAL (
    SELECT * FROM contacts c
    WHERE c.owner_id = t.contact_owner_id AND c.id = t.contact_id
      AND (c.owner_id = (SELECT :user_id::bigint) OR c.assigned_user_id = (SELECT :user_id::bigint)) OFFSET 0) c ON true
ORDER BY t.due_at, t.id
