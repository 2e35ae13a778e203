-- What owner 1 has after years: bench.leads leads, each of a contact of its own, claimed, with four offers (of which
-- the first was sent by e-mail) and its history.
-- It comes after `found` with at least bench.agents + 2 users, and before anything else that makes leads.
--
-- Users 2 to bench.agents + 1 share a team and its contacts with the owner. User bench.agents + 2 is not in that team, and
-- has claimed every tenth lead. Lead n is of contact n and arrived n-th; one in ten thousand is of a source of the owner's
-- own, the others of the catalogue's. Triggers and foreign keys are off, and the other indexes are made again at the end: the
-- rows are consistent.
SET session_replication_role = replica;
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';
SET synchronous_commit = off;

INSERT INTO lead_sources (id, owner_id, name) VALUES (900000, 1, 'Sign at the lake');

INSERT INTO teams (owner_id, id, name, is_contact_resource_sharing_enabled) VALUES (1, 900000, 'Everyone', true);
INSERT INTO team_members (owner_id, team_id, user_id, request_status, is_sharing_accepted)
SELECT 1, 900000, i, 'Accepted', true FROM generate_series(1, current_setting('bench.agents')::bigint + 1) i;

CREATE TEMPORARY TABLE made_again ON COMMIT PRESERVE ROWS AS
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i
WHERE i.indrelid = ANY (ARRAY['contacts', 'contact_identities', 'leads', 'lead_events', 'offers', 'claims',
    'messages']::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid);
DO $$ BEGIN EXECUTE (SELECT 'DROP INDEX ' || string_agg(name, ', ') FROM made_again); END $$;

CREATE TEMPORARY TABLE arrived ON COMMIT PRESERVE ROWS AS
SELECT n, CASE WHEN n % 10 = 0 THEN agents + 2 ELSE (n + n / 10) % agents + 2 END AS winner, agents,
       now() - interval '1000 days' * ((leads - n + 1)::float8 / leads) AS at
FROM (SELECT current_setting('bench.leads')::bigint AS leads, current_setting('bench.agents')::bigint AS agents) wanted,
     generate_series(1, leads) n;

INSERT INTO contacts (owner_id, id, assigned_user_id, first_name, last_name, email, mobile_phone, source_id, time_zone,
    created_at, modified_at)
SELECT 1, n, winner, 'Mia', 'Lund ' || n, 'mia' || n || '@example.org', '+1720' || lpad(n::text, 7, '0'), 1, 'America/Denver',
       at, at + interval '10 minutes'
FROM arrived;

INSERT INTO contact_identities (owner_id, kind, value, contact_id)
SELECT 1, 'email', 'mia' || n || '@example.org', n FROM arrived ORDER BY 'mia' || n || '@example.org' COLLATE "C";
INSERT INTO contact_identities (owner_id, kind, value, contact_id)
SELECT 1, 'phone', '+1720' || lpad(n::text, 7, '0'), n FROM arrived;

INSERT INTO leads (owner_id, id, contact_id, source_id, text_body, mls_id, listing_price, street_address, city, state,
    zipcode, type, created_at, modified_at, touched_at, routed_at, rule_set, facts, route_id, team_id, claimed_by_user_id)
SELECT 1, n, n, CASE WHEN n % 10000 = 0 THEN 900000 ELSE n % 15 + 1 END,
       'I would like to see this house at the weekend. Is it still available?', 'MLS' || n, '450000', n || ' Grape Street',
       'Denver', 'CO', (80001 + n % 200)::text, (ARRAY['Buyer', 'Seller', 'Renter'])[n % 3 + 1], at,
       at + interval '10 minutes', at, at, 1,
       jsonb_build_object('lead_source_id', n % 15 + 1, 'contact_source_id', 1, 'type', 'Buyer', 'zipcode', '80205',
           'turn', null),
       route.id, 1, winner
FROM arrived, (SELECT max(id) AS id FROM lead_routes WHERE owner_id = 1 AND filter IS NULL) route;

INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id, by_user_id)
SELECT 1, n, at + after, kind, CASE kind WHEN 'claimed' THEN winner END, CASE kind WHEN 'claimed' THEN winner END
FROM arrived, (VALUES ('routed', interval '0'), ('claimed', interval '10 minutes')) happened (kind, after);

INSERT INTO offers (owner_id, lead_id, user_id, team_id, place, notify_at, rank, assign_automatically, has_call_alert,
    has_text_alert, has_email_alert, state, notified_at, closed_at)
SELECT 1, n, CASE WHEN place = 0 THEN winner ELSE (n + n / 10 + place) % agents + 2 END, 1, place,
       at + place * interval '2 minutes', place + 1, false, false, false, place = 0, CASE place WHEN 0 THEN 'won' ELSE 'lost' END,
       at + place * interval '2 minutes', at + interval '10 minutes'
FROM arrived, generate_series(0, 3) place;

INSERT INTO claims (owner_id, lead_id, user_id, claimed_at, via)
SELECT 1, n, winner, at + interval '10 minutes', 'Email' FROM arrived;

INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, state, attempts, address, created_at,
    sent_at)
SELECT 1, 'offer', 'email', lead_id, id, user_id, 'sent', 1, 'agent' || user_id || '@example.com', notified_at,
       notified_at + interval '1 second'
FROM offers WHERE owner_id = 1 AND has_email_alert;

DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT definition FROM made_again LOOP
        EXECUTE each.definition;
    END LOOP;
END $$;

SELECT setval('leads_id_seq', (SELECT max(id) FROM leads)), setval('contacts_id_seq', (SELECT max(id) FROM contacts));
DROP TABLE arrived, made_again;
RESET session_replication_role;
RESET work_mem;
RESET maintenance_work_mem;
RESET synchronous_commit;
