-- Lists an owner's leads that came since a moment, newest first, at most :most of each state, :claimed of those that
-- are claimed, and how many have the state (among the newest :window): who claimed each and when, or to how many it is
-- on offer, who the first :named of them are and since when, who is asked next and when, and whose alerts failed.
-- planner: per-row lookup, scalar lookup, computed once
WITH day AS MATERIALIZED (
    SELECT l.owner_id, l.id,
           lead_state(CASE WHEN l.claimed_by_user_id IS NOT NULL THEN l.created_at END, l.unclaimed_at, l.routed_at,
                      l.is_imported) AS state
    FROM leads l
    WHERE l.owner_id = :owner_id AND l.created_at >= :since AND l.id > 0 AND NOT l.is_imported
    ORDER BY l.created_at DESC, l.id DESC LIMIT :window
), shown AS MATERIALIZED (
    SELECT newest.*, states.total
    FROM (SELECT d.state, count(*) AS total FROM day d GROUP BY d.state) states
    CROSS JOIN LATERAL (
        SELECT d.* FROM day d WHERE d.state = states.state
        ORDER BY d.id DESC LIMIT CASE states.state WHEN 'claimed' THEN :claimed::bigint ELSE :most::bigint END) newest
)
SELECT l.id, coalesce(nullif(concat_ws(' ', l.inquirer ->> 'first_name', l.inquirer ->> 'last_name'), ''),
                      concat_ws(' ', c.first_name, c.last_name)) AS name,
       l.city, l.type, (SELECT s.name FROM lead_sources s WHERE s.id = l.source_id) AS source, l.created_at, d.state,
       d.total, l.unclaimed_at, k.claimed_at, k.name AS claimed_by_name, offered.notified, offered.since,
       (SELECT string_agg((SELECT display_name(u) FROM users u WHERE u.id = f.user_id), ', ' ORDER BY f.place)
        FROM unnest(offered.first) WITH ORDINALITY AS f (user_id, place)) AS names,
       (SELECT display_name(u) FROM users u WHERE u.id = offered.next_user_id) AS next_name, offered.next_notify_at,
       l.lapses_at, l.is_test, l.junk_reason, failed.names AS failed_names
FROM shown d
CROSS JOIN LATERAL (SELECT * FROM leads l WHERE l.owner_id = d.owner_id AND l.id = d.id OFFSET 0) l
CROSS JOIN LATERAL (
    SELECT c.first_name, c.last_name FROM contacts c WHERE c.owner_id = l.owner_id AND c.id = l.contact_id OFFSET 0) c
LEFT JOIN LATERAL (
    SELECT k.claimed_at, (SELECT display_name(u) FROM users u WHERE u.id = k.user_id) AS name
    FROM claims k WHERE k.owner_id = l.owner_id AND k.lead_id = l.id OFFSET 0) k ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE o.state = 'notified') AS notified,
           (array_agg(o.user_id ORDER BY o.place, o.id) FILTER (WHERE o.state = 'notified'))[1 : :named] AS first,
           max(o.notified_at) FILTER (WHERE o.state = 'notified') AS since,
           (array_agg(o.user_id ORDER BY o.notify_at, o.place) FILTER (WHERE o.state = 'scheduled'))[1] AS next_user_id,
           min(o.notify_at) FILTER (WHERE o.state = 'scheduled') AS next_notify_at
    FROM (SELECT * FROM offers o WHERE o.owner_id = l.owner_id AND o.lead_id = l.id OFFSET 0) o
    WHERE d.state <> 'claimed'
) AS offered ON true
LEFT JOIN LATERAL (
    SELECT string_agg(DISTINCT (SELECT display_name(u) FROM users u WHERE u.id = f.user_id), ', ') AS names
    FROM (
        SELECT m.user_id
        FROM (SELECT * FROM messages m WHERE m.owner_id = l.owner_id AND m.lead_id = l.id OFFSET 0) m
        WHERE d.state <> 'claimed' AND m.user_id IS NOT NULL AND m.kind IN ('offer', 'unclaimed')
        GROUP BY m.user_id, m.kind
        HAVING bool_or(m.state = 'failed')
           AND NOT bool_or(m.state IN ('queued', 'sending', 'sent', 'unknown'))) f
) AS failed ON true
ORDER BY l.id DESC
