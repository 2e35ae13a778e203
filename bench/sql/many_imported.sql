-- For pgbench: :leads rows of an import, each a contact with an e-mail and a phone and its lead, in one statement.
WITH n AS (
    SELECT nextval('leads_id_seq') AS lead, nextval('contacts_id_seq') AS contact FROM generate_series(1, :leads::bigint)
), contact AS (
    INSERT INTO contacts (owner_id, id, first_name, last_name, email, mobile_phone, time_zone, created_at, modified_at)
    SELECT 1, contact, 'Mia', 'Lund ' || contact, 'mia.lund.' || contact || '@example.org', '+1415' || contact,
           'America/Denver', now(), now() FROM n
), identity AS (
    INSERT INTO contact_identities (owner_id, kind, value, contact_id)
    SELECT 1, 'email', 'mia.lund.' || contact || '@example.org', contact FROM n
    UNION ALL SELECT 1, 'phone', '+1415' || contact, contact FROM n
), lead AS (
    INSERT INTO leads (owner_id, id, contact_id, creator_user_id, source_id, text_body, mls_id, listing_price,
        street_address, city, state, zipcode, type, created_at, modified_at, touched_at, is_imported)
    SELECT 1, lead, contact, 1, 1, 'I would like to see this house at the weekend. Is it still available?',
           'MLS' || lead, '450000', lead || ' Grape Street', 'Denver', 'CO', '80205', 'Buyer', now(), now(), now(), true
    FROM n
)
INSERT INTO idempotency_keys (owner_id, scope, key, lead_id, created_at)
SELECT 1, 'import', encode(sha256(int8send(lead)), 'hex') || ' 1', lead, now() FROM n;
