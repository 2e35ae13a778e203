-- Returns those of these offers of whose last notice every alert has failed for good. One that is still to be sent, may
-- have arrived or was suppressed has not failed; a notification of a browser does not count, nor does what went another
-- way instead: a call whose reason begins with :instead, and a text that its number does not get.
-- planner: per-row lookup
SELECT o.owner_id, o.lead_id, o.user_id
FROM unnest(:owner_ids::bigint[], :offer_ids::bigint[]) AS x (owner_id, offer_id)
CROSS JOIN LATERAL (SELECT * FROM offers o WHERE o.owner_id = x.owner_id AND o.id = x.offer_id OFFSET 0) o
CROSS JOIN LATERAL (
    SELECT bool_and(m.state = 'failed') AS have_failed
    FROM messages m
    WHERE m.owner_id = o.owner_id AND m.lead_id = o.lead_id AND m.offer_id = o.id AND m.kind IN ('offer', 'reoffer')
      AND m.channel <> 'push' AND m.created_at >= o.notified_at
      AND (m.state <> 'suppressed' OR m.channel <> 'call' OR NOT starts_with(m.reason, :instead))
      AND (m.state <> 'suppressed' OR m.channel <> 'text'
           OR m.reason NOT IN (texts_suppressed_because('stopped'), texts_suppressed_because('bounced')))) m
WHERE m.have_failed
