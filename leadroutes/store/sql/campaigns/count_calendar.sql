-- Returns how many messages of campaigns leave on each day of a period, by type, in the user's zone: what has left on
-- the day on which it did, what is to come on that of its moment, or of the one until which it waits. Those of the
-- user's account, and those to contacts of others that are assigned to the user. Days are dates.
WITH span AS (
    SELECT coalesce(u.timezone, 'UTC') AS zone,
           :first_day::date::timestamp AT TIME ZONE coalesce(u.timezone, 'UTC') AS begins,
           (:last_day::date + 1)::timestamp AT TIME ZONE coalesce(u.timezone, 'UTC') AS ends
    FROM users u WHERE u.id = :user_id
), removed AS MATERIALIZED (
    SELECT id FROM removed_campaigns
), step AS (
    SELECT s.type, coalesce(s.waits_until, s.send_at) AS at FROM contact_communications s, span
    WHERE s.owner_id = :user_id AND s.is_active AND coalesce(s.campaign_id, 0) <> ALL (ARRAY(SELECT id FROM removed))
      AND coalesce(s.waits_until, s.send_at) >= span.begins AND coalesce(s.waits_until, s.send_at) < span.ends
    UNION ALL
    SELECT s.type, s.completed_at FROM contact_communications s, span
    WHERE s.owner_id = :user_id AND s.sent_from_user_id IS NOT NULL
      AND s.completed_at >= span.begins AND s.completed_at < span.ends
    UNION ALL
    SELECT s.type, CASE WHEN s.is_active THEN coalesce(s.waits_until, s.send_at) ELSE s.completed_at END
    FROM contacts c JOIN contact_communications s ON s.owner_id = c.owner_id AND s.contact_id = c.id
    WHERE c.assigned_user_id = :user_id AND c.owner_id <> :user_id
      AND (s.is_active AND coalesce(s.campaign_id, 0) <> ALL (ARRAY(SELECT id FROM removed))
           OR s.sent_from_user_id IS NOT NULL)
)
SELECT (step.at AT TIME ZONE span.zone)::date AS day,
       CASE step.type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END AS channel,
       count(*) AS count
FROM step, span
WHERE step.at >= span.begins AND step.at < span.ends
GROUP BY 1, 2
ORDER BY 1, 2
