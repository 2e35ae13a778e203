-- Returns what a user's digest says beside the leads that they have yet to be in touch about: how many leads they have
-- had since :since, of the newest 500, without junk, and how many of their tasks are due by :until, at most :most.
SELECT (SELECT count(*)
        FROM (SELECT * FROM claims WHERE user_id = :user_id ORDER BY lead_id DESC LIMIT 500) k
        JOIN leads l ON l.owner_id = k.owner_id AND l.id = k.lead_id
        WHERE k.claimed_at > :since AND NOT l.is_test AND l.junk_reason IS NULL) AS claimed,
       (SELECT count(*)
        FROM (SELECT FROM tasks t
              WHERE t.assigned_user_id = :user_id AND t.status = 'incomplete' AND t.due_at <= :until
              LIMIT :most) x) AS tasks
