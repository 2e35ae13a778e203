-- Returns a page of a lead's history, oldest first. Raises program_limit_exceeded when the page would be larger than
-- :most_bytes.
SELECT at, kind, user_id, by_user_id, detail, bytes_up_to(coalesce(octet_length(detail), 0), :most_bytes)
           OVER (ROWS UNBOUNDED PRECEDING)
FROM (SELECT * FROM (
    SELECT l.created_at AS at, 0 AS place, l.id, 'arrived' AS kind, NULL::bigint AS user_id,
           l.creator_user_id AS by_user_id,
           (jsonb_build_object('arrival_id', l.arrival_id) || coalesce(l.inquirer, '{}')
               || CASE WHEN l.arrival_id IS NOT NULL AND length(l.text_body) = 10000  -- as long as an inquiry's may be
                       THEN '{"note": "the message is cut after 10000 characters; the arrival has all of it"}'
                       ELSE '{}' END::jsonb
           )::text AS detail
    FROM leads l WHERE l.owner_id = :owner_id AND l.id = :lead_id
    UNION ALL
    SELECT o.notified_at, 1, o.id, 'offered', o.user_id, NULL,
           json_build_object('offer_id', o.id, 'state', o.state)::text
    FROM offers o WHERE o.owner_id = :owner_id AND o.lead_id = :lead_id AND o.notified_at IS NOT NULL
    UNION ALL
    SELECT e.at, 2, e.id, e.kind, e.user_id, e.by_user_id, e.detail::text
    FROM lead_events e WHERE e.owner_id = :owner_id AND e.lead_id = :lead_id
    UNION ALL
    SELECT coalesce(m.sent_at, m.created_at), 3, m.id, 'message', m.user_id, NULL,
           json_build_object('message_id', m.id, 'kind', m.kind, 'channel', m.channel, 'state', m.state,
                             'contact_id', m.contact_id, 'reason', m.reason)::text
    FROM messages m WHERE m.owner_id = :owner_id AND m.lead_id = :lead_id
) AS happened
ORDER BY at, place, id LIMIT :limit OFFSET :skip) AS page
