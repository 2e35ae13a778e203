-- For pgbench: all rows of one arrival with five offers, in one statement and one commit. What the service looks up first
-- and decides is left out: this is the writing alone.
\set owner random(1, :owners)
WITH n AS (
    SELECT nextval('leads_id_seq') AS lead, nextval('contacts_id_seq') AS contact, nextval('arrivals_id_seq') AS arrival,
           :owner::bigint AS owner
), arrival AS (
    INSERT INTO arrivals (owner_id, id, intake_key_id, lead_source_id, received_at, headers, body, format, status, lead_id,
        source_named)
    SELECT owner, arrival, owner, 1, now(),
           '{"host": "bench", "content-type": "application/json", "content-length": "280"}', convert_to('{"name":"Mia Lund 0","email":'
           '"mia.lund.0@example.org","phone":"+1 415 200 0000","message":"I would like to see this house at the weekend. Is it '
           'still available?","address":"0 Grape Street","city":"Denver","state":"CO","zip":"80205","type":"Buyer","price":'
           '"450000","mls_id":"MLS0"}', 'UTF8'), 'zapier', 'accepted', lead, 'Other' FROM n
), contact AS (
    INSERT INTO contacts (owner_id, id, first_name, last_name, email, mobile_phone, source_id, time_zone, created_at,
        modified_at)
    SELECT owner, contact, 'Mia', 'Lund ' || contact, 'mia.lund.' || contact || '@example.org', '+1415' || contact, owner,
           'America/Denver', now(), now() FROM n
), identity AS (
    INSERT INTO contact_identities (owner_id, kind, value, contact_id)
    SELECT owner, 'email', 'mia.lund.' || contact || '@example.org', contact FROM n
    UNION ALL SELECT owner, 'phone', '+1415' || contact, contact FROM n
), lead AS (
    INSERT INTO leads (owner_id, id, contact_id, creator_user_id, arrival_id, source_id, text_body, mls_id, listing_price,
        street_address, city, state, zipcode, type, created_at, modified_at, touched_at, routed_at, rule_set, facts, route_id,
        team_id, lapses_at)
    SELECT owner, lead, contact, owner, arrival, 1, 'I would like to see this house at the weekend. Is it still available?',
           'MLS' || lead, '450000', lead || ' Grape Street', 'Denver', 'CO', '80205', 'Buyer', now(), now(), now(), now(), 1,
           '{"turn": null, "type": "Buyer", "zipcode": "80205", "lead_source_id": 1, "contact_source_id": null}', 10, owner,
           now() + interval '35 minutes' FROM n
), key AS (
    INSERT INTO idempotency_keys (owner_id, scope, key, lead_id, arrival_id, created_at, expires_at)
    SELECT owner, 'body ' || owner, encode(sha256(int8send(lead)), 'hex'), lead, arrival, now(), now() + interval '24 hours'
    FROM n
), offer AS (
    INSERT INTO offers (owner_id, lead_id, user_id, team_id, place, notify_at, rank, assign_automatically, has_call_alert,
        has_text_alert, has_email_alert, state, notified_at)
    SELECT owner, lead, 1 + (owner + place) % :users::bigint, owner, place, now() + place * interval '5 minutes', place + 1,
           false, false, false, true, CASE WHEN place = 0 THEN 'notified' ELSE 'scheduled' END,
           CASE WHEN place = 0 THEN now() END
    FROM n, generate_series(0, 4) place
    RETURNING owner_id, lead_id, user_id, id, place
), campaign AS (
    INSERT INTO campaign_contacts (owner_id, campaign_id, contact_id, lead_id, created_at)
    SELECT owner, owner, contact, lead, now() FROM n
), message AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)
    SELECT owner_id, 'offer', 'email', lead_id, id, user_id, now() FROM offer WHERE place = 0
    RETURNING owner_id, id
), job AS (
    INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, status)
    SELECT 0, 'deliver', convert_to('{"owner_id":' || owner_id || ',"id":' || id || '}', 'UTF8'), now(), 'queued' FROM message
    RETURNING id
)
INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint) SELECT id, 'queued', 0, 'deliver' FROM job;
