-- Returns how busy members are, each among all leads of one owner, test leads and junk apart: how many open leads that
-- are not older than :open_since the member has, how many different leads the member got since :days and :weeks, also
-- if someone else has them by now, and when the last one came. Of transactions that ran at the same time, the id of the
-- event tells which was later. The parameters but :open_since are lists of equal length.
-- planner: per-row lookup, scalar lookup
SELECT w.owner_id, w.user_id, got.leads_today, got.leads_this_week,
       (SELECT count(*) FROM leads l
        WHERE l.claimed_by_user_id = w.user_id AND l.owner_id = w.owner_id AND l.created_at > :open_since
          AND NOT l.is_test AND NOT l.is_closed AND l.junk_reason IS NULL) AS open_leads,
       last.at AS last_lead_at, latest.id AS last_event_id
FROM unnest(:owner_ids::bigint[], :user_ids::bigint[], :days::timestamptz[], :weeks::timestamptz[])
    AS w (owner_id, user_id, day, week)
CROSS JOIN LATERAL (
    SELECT count(DISTINCT e.lead_id) FILTER (WHERE e.at >= w.day) AS leads_today,
           count(DISTINCT e.lead_id) AS leads_this_week
    FROM lead_events e
    WHERE e.owner_id = w.owner_id AND e.user_id = w.user_id AND e.kind IN ('claimed', 'assigned') AND e.at >= w.week
      AND (SELECT NOT l.is_test AND l.junk_reason IS NULL FROM leads l
               WHERE l.owner_id = e.owner_id AND l.id = e.lead_id)
    OFFSET 0
) got
LEFT JOIN LATERAL (
    SELECT e.at FROM lead_events e
    WHERE e.owner_id = w.owner_id AND e.user_id = w.user_id AND e.kind IN ('claimed', 'assigned')
      AND (SELECT NOT l.is_test AND l.junk_reason IS NULL FROM leads l
           WHERE l.owner_id = e.owner_id AND l.id = e.lead_id)
    ORDER BY e.at DESC LIMIT 1
) last ON true
LEFT JOIN LATERAL (
    SELECT max(e.id) AS id FROM lead_events e
    WHERE e.owner_id = w.owner_id AND e.user_id = w.user_id AND e.kind IN ('claimed', 'assigned')
      AND e.at > last.at - interval '5 minutes'
) latest ON true
