-- Returns for members how many leads of an owner are on offer and count for the member, who was first in line and can
-- still claim; and the latest such offer, whatever the age of its lead. Of transactions that ran at the same time, the
-- id tells which was later. Leads older than :open_since, closed ones, junk and test leads do not count. The other
-- parameters are lists of equal length.
-- planner: per-row lookup, scalar lookup
SELECT w.owner_id, w.user_id, first.on_offer, last.notified_at AS last_at, latest.id AS last_id
FROM unnest(:owner_ids::bigint[], :user_ids::bigint[]) AS w (owner_id, user_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS on_offer FROM offers o
    WHERE o.user_id = w.user_id AND o.owner_id = w.owner_id AND o.place = 0 AND o.state = 'notified'
      AND o.notified_at > :open_since
      AND (SELECT l.created_at > :open_since AND NOT l.is_test AND NOT l.is_closed AND l.junk_reason IS NULL
           FROM leads l WHERE l.owner_id = o.owner_id AND l.id = o.lead_id)
    OFFSET 0
) first
LEFT JOIN LATERAL (
    SELECT o.notified_at FROM offers o
    WHERE o.user_id = w.user_id AND o.owner_id = w.owner_id AND o.place = 0 AND o.state = 'notified'
      AND (SELECT NOT l.is_test AND l.junk_reason IS NULL FROM leads l
           WHERE l.owner_id = o.owner_id AND l.id = o.lead_id)
    ORDER BY o.notified_at DESC LIMIT 1
) last ON true
LEFT JOIN LATERAL (
    SELECT max(o.id) AS id FROM offers o
    WHERE o.user_id = w.user_id AND o.owner_id = w.owner_id AND o.place = 0 AND o.state = 'notified'
      AND o.notified_at > last.notified_at - interval '5 minutes'
) latest ON true
