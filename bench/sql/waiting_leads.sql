-- bench.leads routed leads, spread over the owners, each offered to the bench.members of its owner's team: the first
-- bench.notified of them notified an hour ago, the next one due at bench.due + (number of the lead) * bench.apart seconds, the
-- others a month later. Ten leads have the same contact. They lapse when their last offer has waited
-- for a quarter of an hour, or in a year where every member has been notified.
SET session_replication_role = replica;

CREATE TEMPORARY TABLE wanted ON COMMIT PRESERVE ROWS AS
SELECT g AS n, 1 + g % current_setting('bench.owners')::bigint AS owner_id,
       g % (current_setting('bench.owners')::bigint * greatest(1, current_setting('bench.leads')::bigint
           / (10 * current_setting('bench.owners')::bigint))) AS contact_n
FROM generate_series(0, current_setting('bench.leads')::bigint - 1) g;

CREATE TEMPORARY TABLE start ON COMMIT PRESERVE ROWS AS
SELECT coalesce((SELECT max(id) FROM leads), 0) AS leads, coalesce((SELECT max(id) FROM contacts), 0) AS contacts;

INSERT INTO contacts (owner_id, id, first_name, last_name, email, mobile_phone, created_at, modified_at)
SELECT DISTINCT ON (contact_n) owner_id, start.contacts + 1 + contact_n, 'Mia', 'Lund ' || contact_n,
       'waiting' || start.contacts + contact_n || '@example.org', '+1720' || lpad(contact_n::text, 7, '0'), now(), now()
FROM wanted, start ORDER BY contact_n;

INSERT INTO contact_identities (owner_id, kind, value, contact_id)
SELECT owner_id, 'email', email, id FROM contacts, start WHERE id > start.contacts;

INSERT INTO offers (owner_id, lead_id, user_id, team_id, place, notify_at, rank, assign_automatically, has_call_alert,
    has_text_alert, has_email_alert, state, notified_at)
SELECT w.owner_id, start.leads + 1 + w.n, (w.owner_id + j) % current_setting('bench.users')::bigint + 1, w.owner_id, j,
       CASE WHEN j < notified.count THEN now() - interval '1 hour'
            WHEN j = notified.count THEN current_setting('bench.due')::timestamptz
                + w.n * interval '1 second' * current_setting('bench.apart')::float8
            ELSE now() + interval '300 days' + random() * interval '30 days' END,
       j + 1, false, false, false, true, CASE WHEN j < notified.count THEN 'notified' ELSE 'scheduled' END,
       CASE WHEN j < notified.count THEN now() - interval '1 hour' END
FROM wanted w, start, (SELECT current_setting('bench.notified')::bigint AS count) notified,
     generate_series(0, current_setting('bench.members')::bigint - 1) j;

INSERT INTO leads (owner_id, id, contact_id, creator_user_id, source_id, text_body, street_address, city, state, zipcode,
    type, created_at, modified_at, touched_at, routed_at, rule_set, facts, route_id, team_id, lapses_at)
SELECT owner_id, start.leads + 1 + n, start.contacts + 1 + contact_n, owner_id, 1, 'Is it still there?', n || ' Grape St',
       'Denver', 'CO', '80205', 'Buyer', now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour',
       now() - interval '1 hour', 1, jsonb_build_object('lead_source_id', 1, 'contact_source_id', null, 'type', 'Buyer',
       'zipcode', '80205', 'turn', null), r.id, owner_id,
       CASE WHEN o.waits THEN o.last + interval '15 minutes' ELSE now() + interval '1 year' END
FROM start CROSS JOIN wanted
JOIN (SELECT lead_id, max(notify_at) AS last, bool_or(state = 'scheduled') AS waits FROM offers GROUP BY lead_id) o
    ON o.lead_id = start.leads + 1 + n
JOIN LATERAL (SELECT id FROM lead_routes r WHERE r.owner_id = wanted.owner_id AND r.filter IS NULL LIMIT 1) r ON true;

SELECT setval('leads_id_seq', (SELECT max(id) FROM leads)), setval('contacts_id_seq', (SELECT max(id) FROM contacts));
DROP TABLE wanted, start;
SET session_replication_role = origin;
