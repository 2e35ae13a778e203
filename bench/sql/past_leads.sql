-- Past leads of owner bench.owner, bench.leads of them within the last 89 days: four of five claimed ten minutes later, by
-- members in turn. Every thousand leads share a contact. Triggers and foreign keys are off: the rows are consistent.
SET session_replication_role = replica;
SET synchronous_commit = off;

CREATE TEMPORARY TABLE arrived ON COMMIT PRESERVE ROWS AS
SELECT owner, owner * 10000000 + n AS id, n, owner * 10000000 + n / 1000 AS contact_id, n % 20 + owner + 1 AS claimer,
       now() - interval '89 days' * ((leads - n + 1)::float8 / leads) AS at
FROM (SELECT current_setting('bench.owner')::bigint AS owner, current_setting('bench.leads')::bigint AS leads) wanted,
     generate_series(1, leads) n;

INSERT INTO contacts (owner_id, id, first_name, last_name, email, source_id, tags, created_at, modified_at)
SELECT DISTINCT ON (contact_id) owner, contact_id, 'Mia', 'Lund', 'mia' || contact_id || '@example.org', owner,
       CASE WHEN contact_id % 2 = 0 THEN 'VIP' END, at, at
FROM arrived ORDER BY contact_id, at;

INSERT INTO leads (owner_id, id, contact_id, source_id, text_body, listing_price, city, state, zipcode, type, created_at,
    modified_at, touched_at, routed_at)
SELECT owner, id, contact_id, n % 3 + 1, 'I would like to see this house at the weekend.', (300000 + n % 400 * 1000)::text,
       'Denver', (ARRAY['CO', 'WY', 'NM'])[n % 3 + 1], (80001 + n % 200)::text, (ARRAY['Buyer', 'Seller', 'Renter'])[n % 3 + 1],
       at, at, at, at
FROM arrived;

INSERT INTO claims (owner_id, lead_id, user_id, claimed_at, via)
SELECT owner, id, claimer, at + interval '10 minutes', 'Email' FROM arrived WHERE n % 5 > 0;

SET session_replication_role = origin;
