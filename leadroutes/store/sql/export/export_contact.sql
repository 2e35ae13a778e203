-- Returns everything stored about one contact as one JSON value; null where there is none.
WITH lead AS (
    SELECT * FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id
), arrival AS (
    SELECT a.* FROM arrivals a
    WHERE a.owner_id = :owner_id AND a.id IN (
        SELECT b.id FROM arrivals b JOIN lead ON b.lead_id = lead.id WHERE b.owner_id = :owner_id
        UNION SELECT arrival_id FROM lead
        UNION SELECT (e.detail ->> 'arrival_id')::bigint FROM lead
        JOIN lead_events e ON e.owner_id = :owner_id AND e.lead_id = lead.id
        UNION SELECT r.arrival_id FROM messages m
        JOIN returned_mails r ON r.owner_id = m.owner_id AND r.message_id = m.id
        WHERE m.owner_id = :owner_id AND m.contact_id = :contact_id)
)
SELECT json_build_object(
    'contact', (SELECT to_jsonb(c) - '{owner_id,unsubscribed_at}'::text[]
                    || jsonb_build_object('source', (SELECT s.name FROM contact_sources s
                                                     WHERE s.owner_id = c.owner_id AND s.id = c.source_id),
                                          'hotness', (SELECT h.name FROM hotnesses h WHERE h.id = c.hotness_id),
                                          'assigned_to',
                                          (SELECT display_name(u) FROM users u WHERE u.id = c.assigned_user_id))),
    'identified_by', (SELECT json_agg(json_build_object('kind', kind, 'value', value) ORDER BY kind, value)
                      FROM contact_identities WHERE owner_id = :owner_id AND contact_id = :contact_id),
    'suppressions',
    (SELECT json_agg(json_build_object('channel', s.channel, 'value', s.value, 'reason', s.reason, 'at', s.at,
                                                       'ended_at', s.ended_at, 'consent', s.consent) ORDER BY s.id)
                     FROM suppressions s, suppression_salt k
                     WHERE s.owner_id = :owner_id
                       AND (s.digest IN (address_digest(c.email, k.salt), address_digest(c.secondary_email, k.salt))
                            OR s.digest IN (SELECT address_digest(i.value, k.salt) FROM contact_identities i
                                            WHERE i.owner_id = :owner_id AND i.contact_id = :contact_id))),
    'consents',
    (SELECT json_agg(json_build_object('channel', s.channel, 'how', s.how, 'words', s.words, 'at', s.at, 'ip', s.ip,
                                       'by', (SELECT display_name(u) FROM users u WHERE u.id = s.by_user_id))
                     ORDER BY s.id)
     FROM consents s WHERE s.owner_id = :owner_id AND s.contact_id = :contact_id),
    'merged_from', (SELECT json_agg(json_build_object('id', m.id, 'at', m.merged_at) ORDER BY m.id)
                    FROM merged_contacts m WHERE m.owner_id = :owner_id AND m.contact_id = :contact_id),
    'addresses', (SELECT json_agg(to_jsonb(a) - '{owner_id,contact_id}'::text[] ORDER BY a.id)
                  FROM contact_addresses a WHERE a.owner_id = :owner_id AND a.contact_id = :contact_id),
    'custom_fields', (SELECT json_object_agg(f.name, v.value)
                      FROM custom_field_values v JOIN custom_fields f ON f.id = v.custom_field_id
                      WHERE v.owner_id = :owner_id AND v.contact_id = :contact_id),
    'events', (SELECT json_agg(to_jsonb(e) - '{owner_id,contact_id}'::text[] || jsonb_build_object('property',
                   (SELECT to_jsonb(p) - '{owner_id,contact_id,api_event_id}'::text[] FROM event_properties p
                    WHERE p.owner_id = e.owner_id AND p.api_event_id = e.id)) ORDER BY e.id)
               FROM events e WHERE e.owner_id = :owner_id AND e.contact_id = :contact_id),
    'leads', (SELECT json_agg(to_jsonb(l) - '{owner_id,contact_id}'::text[] || jsonb_build_object(
                  'source', (SELECT s.name FROM lead_sources s WHERE s.id = l.source_id),
                  'claim', (SELECT json_build_object('by', display_name(u), 'at', k.claimed_at, 'via', k.via)
                            FROM claims k JOIN users u ON u.id = k.user_id
                            WHERE k.owner_id = :owner_id AND k.lead_id = l.id),
                  'offers', (SELECT json_agg(json_build_object('to', display_name(u), 'notified_at', o.notified_at,
                                                               'state', o.state) ORDER BY o.place, o.id)
                             FROM offers o JOIN users u ON u.id = o.user_id
                             WHERE o.owner_id = :owner_id AND o.lead_id = l.id),
                  'handovers', (SELECT json_agg(json_build_object('from', display_name(a), 'to', display_name(b),
                                                                  'note', h.note, 'state', h.state, 'answer', h.answer,
                                                                  'at', h.created_at) ORDER BY h.id)
                                FROM handovers h
                                JOIN users a ON a.id = h.from_user_id JOIN users b ON b.id = h.to_user_id
                                WHERE h.owner_id = :owner_id AND h.lead_id = l.id),
                  'history',
                  (SELECT json_agg(json_build_object('at', h.at, 'kind', h.kind, 'detail', h.detail) ORDER BY h.id)
                              FROM lead_events h WHERE h.owner_id = :owner_id AND h.lead_id = l.id)) ORDER BY l.id)
              FROM lead l),
    'arrivals', (SELECT json_agg(json_build_object('id', a.id, 'received_at', a.received_at, 'format', a.format,
                                                   'status', a.status, 'reason', a.reason, 'source', a.source_named,
                                                   'lead_id', a.lead_id, 'headers', a.headers,
                                                   'body_base64', translate(encode(a.body, 'base64'), E'\n', ''))
                                 ORDER BY a.id)
                 FROM arrival a),
    'recognised_again_by', (SELECT json_agg(json_build_object('scope', k.scope, 'key', k.key) ORDER BY k.scope, k.key)
                            FROM idempotency_keys k
                            WHERE k.owner_id = :owner_id AND k.lead_id IN (SELECT id FROM lead)),
    'audit', (SELECT json_agg(json_build_object('at', a.at, 'by', (SELECT display_name(u) FROM users u
                                                                   WHERE u.id = a.user_id),
                                                'method', a.method, 'resource', a.resource, 'changes', a.changes)
                              ORDER BY a.at, a.id)
              FROM (SELECT '/contacts' COLLATE "C" AS resource, :contact_id::bigint AS record_id
                    UNION ALL SELECT '/leads', l.id FROM lead l) about
              JOIN audit_entries a ON a.owner_id = :owner_id AND a.resource = about.resource
                                  AND a.record_id = about.record_id),
    'campaigns',
    (SELECT json_agg(json_build_object('id', r.id, 'name', g.name, 'started_at', r.created_at, 'ended_at', r.ended_at)
                                  ORDER BY r.id)
                  FROM campaign_contacts r JOIN campaigns g ON g.id = r.campaign_id
                  WHERE r.owner_id = :owner_id AND r.contact_id = :contact_id),
    'communications',
    (SELECT json_agg(json_build_object('id', t.id, 'type', t.type, 'send_at', t.send_at, 'completed_at', t.completed_at,
                                                         'is_active', t.is_active) ORDER BY t.send_at, t.id)
                       FROM contact_communications t WHERE t.owner_id = :owner_id AND t.contact_id = :contact_id),
    'tasks', (SELECT json_agg(json_build_object('id', t.id, 'type', t.action_type, 'description', t.description,
                                                'notes', t.notes,
                                                'due_at', t.due_at, 'status', t.status) ORDER BY t.id)
              FROM tasks t WHERE t.contact_owner_id = :owner_id AND t.contact_id = :contact_id),
    'messages', (SELECT json_agg(json_build_object('id', m.id, 'kind', m.kind, 'channel', m.channel, 'state', m.state,
                                                   'created_at', m.created_at, 'sent_at', m.sent_at,
                                                   'address', m.address, 'provider_id', m.provider_id,
                                                   'provider_state', m.provider_state, 'error_code', m.error_code,
                                                   'delivered_at', m.delivered_at,
                                                   'reports', (SELECT json_agg(json_build_object('state', k.state,
                                                       'error_code', k.error_code, 'at', k.received_at) ORDER BY k.id)
                                                       FROM message_callbacks k
                                                       WHERE k.owner_id = m.owner_id AND k.message_id = m.id),
                                                   'subject', m.subject, 'text', m.text_body, 'html', m.html_body)
                                 ORDER BY m.id)
                 FROM messages m
                 WHERE m.owner_id = :owner_id
                   AND (m.contact_id = :contact_id OR m.lead_id IN (SELECT id FROM lead)
                        OR m.event_id IN (SELECT e.id FROM events e
                                          WHERE e.owner_id = :owner_id AND e.contact_id = :contact_id))),
    'webhook_deliveries',
    (SELECT json_agg(json_build_object('id', d.id, 'to', substring(h.url FROM '//([^/?#]*)'), 'type', d.type,
                                       'at', d.at, 'state', d.state, 'data', d.data::json, 'tries', d.tries)
                     ORDER BY d.id)
     FROM webhook_deliveries d JOIN webhooks h ON h.owner_id = d.owner_id AND h.id = d.webhook_id
     WHERE d.owner_id = :owner_id AND d.contact_id = :contact_id)
)::text AS whole
FROM contacts c
WHERE c.owner_id = :owner_id AND c.id = :contact_id
