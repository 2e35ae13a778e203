-- Returns what happened with leads and their contact, newest first, a page that ends before a key: the moment in
-- microseconds, the place of its kind, and the id. :contact_id is null for a reader who sees the lead alone. Tasks are
-- those that the reader sees.
-- planner: per-row lookup
SELECT floor(extract(epoch FROM at) * 1000000)::bigint AS micros, place, id, at, kind, lead_id, user_id, by_user_id,
       detail::text AS detail
FROM (
    SELECT l.created_at AS at, 0 AS place, l.id, 'arrived' AS kind, l.id AS lead_id, NULL::bigint AS user_id,
           CASE WHEN a.intake_key_id IS NULL THEN l.creator_user_id END AS by_user_id,  -- else a sender brought it
           jsonb_build_object('arrival_id', l.arrival_id, 'source_id', l.source_id, 'source', s.name,
                              'text', left(l.text_body, 1000)) || coalesce(l.inquirer, '{}') AS detail
    FROM leads l LEFT JOIN lead_sources s ON s.id = l.source_id
    LEFT JOIN LATERAL (
        SELECT a.intake_key_id FROM arrivals a WHERE a.owner_id = l.owner_id AND a.id = l.arrival_id OFFSET 0) a ON true
    WHERE l.owner_id = :owner_id AND l.id = ANY (:lead_ids::bigint[])
    UNION ALL
    SELECT o.notified_at, 1, o.id, 'offered', o.lead_id, o.user_id, NULL,
           jsonb_build_object('offer_id', o.id, 'state', o.state, 'reason', o.reason)
    FROM offers o WHERE o.owner_id = :owner_id AND o.lead_id = ANY (:lead_ids) AND o.notified_at IS NOT NULL
    UNION ALL
    SELECT e.at, 2, e.id, e.kind, e.lead_id, e.user_id, e.by_user_id, e.detail
    FROM lead_events e WHERE e.owner_id = :owner_id AND e.lead_id = ANY (:lead_ids)
    UNION ALL
    SELECT coalesce(m.sent_at, m.created_at), 3, m.id, 'message', m.lead_id, m.user_id, NULL,
           jsonb_build_object('message_id', m.id, 'kind', m.kind, 'channel', m.channel, 'state', m.state,
                              'reason', m.reason, 'contact_id', m.contact_id,
                              'subject', CASE WHEN m.contact_id IS NOT NULL THEN m.subject END,
                              'text', CASE WHEN m.contact_id IS NOT NULL THEN left(m.text_body, 1000) END)
    FROM messages m
    WHERE m.owner_id = :owner_id AND (m.contact_id = :contact_id::bigint
                                      OR m.lead_id = ANY (:lead_ids) AND m.contact_id IS NULL)
    UNION ALL
    SELECT e.created_at, 4, e.id, CASE WHEN e.type IN ('note', 'conversation') THEN e.type ELSE 'event' END, NULL,
           NULL, CASE WHEN e.source <> 'email' THEN e.user_id END,
           jsonb_build_object('event_id', e.id, 'type', e.type, 'description', e.description, 'source', e.source,
                              'site_domain', e.site_domain)
    FROM events e WHERE e.owner_id = :owner_id AND e.contact_id = :contact_id
    UNION ALL
    SELECT CASE WHEN t.status = 'incomplete' THEN t.created_at ELSE t.modified_at END, 5, t.id, 'task', NULL,
           t.assigned_user_id, t.owner_id,
           jsonb_build_object('task_id', t.id, 'action_type', t.action_type, 'description', t.description,
                              'status', t.status, 'due_at', iso(t.due_at))
    FROM tasks t
    WHERE t.contact_owner_id = :owner_id AND t.contact_id = :contact_id AND t.status <> 'deleted'
      AND (t.owner_id = :reader_id OR t.assigned_user_id = :reader_id)
    UNION ALL
    SELECT x.at, x.place, r.id, x.kind, r.lead_id, NULL, x.by_user_id,
           jsonb_build_object('campaign_id', r.campaign_id, 'campaign', g.name, 'campaign_contact_id', r.id,
                              'reason', CASE x.kind WHEN 'campaign stopped' THEN r.stopped_because END)
    FROM campaign_contacts r
    JOIN campaigns g ON g.id = r.campaign_id
    CROSS JOIN LATERAL (VALUES
        (r.created_at, 6, 'campaign started', r.started_by),
        (CASE WHEN num_nonnulls(r.stopped_by_user_id, r.stopped_because) > 0 THEN r.ended_at END, 7,
         'campaign stopped', r.stopped_by_user_id)
    ) AS x (at, place, kind, by_user_id)
    WHERE r.owner_id = :owner_id AND r.contact_id = :contact_id AND x.at IS NOT NULL
) AS happened
WHERE :before_micros::bigint IS NULL
   OR (floor(extract(epoch FROM at) * 1000000)::bigint, place, id)
       < (:before_micros, :before_place::int, :before_id::bigint)
ORDER BY at DESC, place DESC, id DESC
LIMIT :most
