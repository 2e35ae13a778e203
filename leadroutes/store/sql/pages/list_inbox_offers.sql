-- Lists the offers that a user can claim, newest first, with no more about the lead than the alert contains, and who is
-- next and when. An exclusive offer is good until then, else until no one claims the lead any more.
-- planner: per-row lookup, hidden value
SELECT o.id, o.lead_id, iso(o.notified_at) AS notified_at, iso(l.created_at) AS created_at,
       coalesce(l.inquirer ->> 'first_name', c.first_name) AS first_name, l.city, l.type, l.listing_price,
       (SELECT s.name FROM lead_sources s WHERE s.id = l.source_id) AS source, mode.is_exclusive,
       iso(CASE WHEN mode.is_exclusive THEN coalesce(next.notify_at, l.lapses_at) ELSE l.lapses_at END)
           AS claimable_until,
       next.user_id AS next_user_id, (SELECT display_name(u) FROM users u WHERE u.id = next.user_id) AS next_name,
       iso(next.notify_at) AS next_notify_at
FROM (
    SELECT o.owner_id, o.id, o.lead_id, o.notified_at FROM offers o
    WHERE o.user_id = (SELECT :user_id::bigint) AND o.state = 'notified'
    ORDER BY o.lead_id DESC LIMIT (SELECT :most::bigint)
) AS o
CROSS JOIN LATERAL (SELECT * FROM leads l WHERE l.owner_id = o.owner_id AND l.id = o.lead_id OFFSET 0) l
CROSS JOIN LATERAL (
    SELECT c.first_name FROM contacts c WHERE c.owner_id = l.owner_id AND c.id = l.contact_id OFFSET 0) c
CROSS JOIN LATERAL exclusivity_of(l.owner_id, l.rule_set, l.team_id) mode
LEFT JOIN LATERAL (
    SELECT n.user_id, n.notify_at
    FROM (SELECT * FROM offers n WHERE n.owner_id = o.owner_id AND n.lead_id = o.lead_id OFFSET 0) n
    WHERE n.state = 'scheduled'
    ORDER BY n.notify_at, n.place LIMIT 1
) next ON true
ORDER BY o.lead_id DESC
