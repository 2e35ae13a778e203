-- Lists leads that a user has and has not been in touch about, newest first: of those of the last 30 days, at most 500
-- of an owner, the ones that are neither junk nor closed, and of whose contact the user has entered no conversation or
-- the like since, and done no task. The claims are read from the newest on, of one owner after the other, until there
-- are enough of that owner's.
-- planner: per-row lookup, scalar lookup, hidden value
WITH RECURSIVE claimed (owner_id) AS (
    SELECT (SELECT k.owner_id FROM claims k WHERE k.user_id = (SELECT :user_id::bigint) ORDER BY k.owner_id LIMIT 1)
    UNION ALL
    SELECT (SELECT k.owner_id FROM claims k WHERE k.user_id = (SELECT :user_id::bigint) AND k.owner_id > f.owner_id
            ORDER BY k.owner_id LIMIT 1)
    FROM claimed f WHERE f.owner_id IS NOT NULL
)
SELECT w.lead_id, iso(w.claimed_at) AS claimed_at, w.contact_id, w.name, w.email, w.phone, w.city, w.type,
       (SELECT s.name FROM lead_sources s WHERE s.id = w.source_id) AS source
FROM claimed f
CROSS JOIN LATERAL (
    SELECT k.lead_id, k.claimed_at, l.contact_id, concat_ws(' ', c.first_name, c.last_name) AS name, c.email,
           coalesce(c.mobile_phone, c.home_phone, c.office_phone) AS phone, l.city, l.type, l.source_id
    FROM (
        SELECT k.owner_id, k.lead_id, k.claimed_at FROM claims k
        WHERE k.user_id = (SELECT :user_id::bigint) AND k.owner_id = f.owner_id
        ORDER BY k.lead_id DESC LIMIT (SELECT 500)
    ) AS k
    CROSS JOIN LATERAL (SELECT * FROM leads l WHERE l.owner_id = k.owner_id AND l.id = k.lead_id OFFSET 0) l
    CROSS JOIN LATERAL (
        SELECT * FROM contacts c WHERE c.owner_id = l.owner_id AND c.id = l.contact_id OFFSET 0) c
    WHERE k.claimed_at > (SELECT :now::timestamptz) - interval '30 days'
      AND NOT l.is_closed AND l.junk_reason IS NULL
      AND (c.owner_id = (SELECT :user_id::bigint) OR c.assigned_user_id = (SELECT :user_id::bigint))
      AND (SELECT e.id
           FROM (SELECT * FROM events e WHERE e.owner_id = c.owner_id AND e.contact_id = c.id OFFSET 0) e
           WHERE e.user_id = (SELECT :user_id::bigint) AND e.created_at >= k.claimed_at
             AND e.type IN ('conversation', 'appointment', 'call', 'text', 'email') LIMIT 1) IS NULL
      AND (SELECT t.id
           FROM (SELECT * FROM tasks t WHERE t.contact_owner_id = c.owner_id AND t.contact_id = c.id OFFSET 0) t
           WHERE t.assigned_user_id = (SELECT :user_id::bigint) AND t.status = 'complete'
             AND t.modified_at >= k.claimed_at LIMIT 1) IS NULL
    ORDER BY k.lead_id DESC LIMIT (SELECT :most::bigint)
) AS w
WHERE f.owner_id IS NOT NULL
ORDER BY w.lead_id DESC
LIMIT (SELECT :most::bigint)
