-- bench.users people, the first bench.owners of whom have a brokerage: a team of bench.members, a campaign, a contact
-- source, an intake key, and bench.routes lead routes (of the first owner: bench.first_routes), at most 50 for one lead
-- source, of which the last to be tried is the one that fits. User i has the token, and owner i the intake key, that
-- people.py computes. Triggers and foreign keys are off: the rows are consistent, and no version number has to be raised.
SET session_replication_role = replica;

INSERT INTO users (id, first_name, last_name, username, email, phone, timezone, timezone_offset, created_at, modified_at)
SELECT i, 'Agent', i::text, 'agent' || i, 'agent' || i || '@example.com', '+1303' || lpad(i::text, 7, '0'), 'America/Denver',
       -7, now(), now()
FROM generate_series(1, current_setting('bench.users')::bigint) i;

INSERT INTO availabilities (id) SELECT i FROM generate_series(1, current_setting('bench.users')::bigint) i;

INSERT INTO access_tokens (user_id, token_hash, scope)
SELECT i, sha256(convert_to(left(encode(sha256(convert_to('token ' || i, 'UTF8')), 'hex'), 40), 'UTF8')), '{read,write}'
FROM generate_series(1, current_setting('bench.users')::bigint) i;

INSERT INTO contact_sources (owner_id, id, name)
SELECT i, i, 'Portals' FROM generate_series(1, current_setting('bench.owners')::bigint) i;

INSERT INTO lead_sources (id, owner_id, name)
SELECT 1000 + i, 1, 'Source ' || i FROM generate_series(0, (current_setting('bench.first_routes')::bigint - 1) / 50) i;

INSERT INTO campaigns (owner_id, id, name, name_key, created_at, modified_at)
SELECT i, i, 'Follow-up', 'follow-up', now(), now() FROM generate_series(1, current_setting('bench.owners')::bigint) i;

INSERT INTO template_folders (owner_id, id, name)
SELECT i, i, 'Buyers' FROM generate_series(1, least(1000, current_setting('bench.owners')::bigint)) i;

INSERT INTO templates (owner_id, id, template_folder_id, subject, body, template_type, created_at, modified_at)
SELECT i, i, i, 'Hello {{contact.first_name}}', 'How is the hunt, {{contact.first_name}}? Call me: {{user.phone}}.', 'Email',
       now(), now()
FROM generate_series(1, least(1000, current_setting('bench.owners')::bigint)) i;

INSERT INTO teams (owner_id, id, name, order_method, mins_until_next_alert)
SELECT i, i, 'North Side', 'Rank', 5 FROM generate_series(1, current_setting('bench.owners')::bigint) i;

INSERT INTO team_members (owner_id, team_id, user_id, request_status)
SELECT i, i, (i + j - 1) % current_setting('bench.users')::bigint + 1, 'Accepted'
FROM generate_series(1, current_setting('bench.owners')::bigint) i,
     generate_series(1, current_setting('bench.members')::bigint) j
ORDER BY i, j;

INSERT INTO team_member_distribution_options (owner_id, team_id, user_id, rank, assign_automatically, has_email_alert)
SELECT i, i, (i + j - 1) % current_setting('bench.users')::bigint + 1, j, false, true
FROM generate_series(1, current_setting('bench.owners')::bigint) i,
     generate_series(1, current_setting('bench.members')::bigint) j
ORDER BY i, j;

INSERT INTO lead_routes (owner_id, team_id, campaign_id, lead_source_id, contact_source_id, distribution_target,
    team_selection_method, filter)
SELECT i, i, i, CASE WHEN i = 1 THEN 1000 + (r - 1) / 50 ELSE 1 + (r - 1) / 50 END, i, 'Team Rollout', 'Specific Team',
       CASE WHEN r % 50 = 0 OR r = w.routes THEN NULL ELSE 'Type ' || r END
FROM generate_series(1, current_setting('bench.owners')::bigint) i
CROSS JOIN LATERAL (SELECT CASE WHEN i = 1 THEN current_setting('bench.first_routes')::bigint
    ELSE current_setting('bench.routes')::bigint END AS routes) w
CROSS JOIN LATERAL generate_series(1, w.routes) r;

INSERT INTO intake_keys (owner_id, id, key_hash, lead_source_id, created_at, is_private)
SELECT i, i, sha256(convert_to(left(encode(sha256(convert_to('key ' || i, 'UTF8')), 'hex'), 40), 'UTF8')),
       CASE WHEN i = 1 THEN 1000 ELSE 1 END, now(), true
FROM generate_series(1, current_setting('bench.owners')::bigint) i;

SELECT setval(pg_get_serial_sequence(name, 'id'), greatest(1000000, current_setting('bench.users')::bigint))
FROM unnest(ARRAY['users', 'contact_sources', 'lead_sources', 'campaigns', 'template_folders', 'templates', 'teams',
    'intake_keys']) name;

SET session_replication_role = origin;
