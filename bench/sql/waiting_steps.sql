-- bench.steps steps of running campaigns, spread over the owners, bench.per_contact to a contact (ten
-- unless set), to be sent by e-mail at bench.due + (number) * bench.apart seconds.
SET session_replication_role = replica;

CREATE TEMPORARY TABLE wanted ON COMMIT PRESERVE ROWS AS
SELECT n, contact_n, 1 + contact_n % current_setting('bench.owners')::bigint AS owner_id
FROM (SELECT g AS n, g / coalesce(current_setting('bench.per_contact', true), '10')::bigint AS contact_n
      FROM generate_series(0, current_setting('bench.steps')::bigint - 1) g) numbered;

CREATE TEMPORARY TABLE start ON COMMIT PRESERVE ROWS AS
SELECT coalesce((SELECT max(id) FROM contacts), 0) AS contacts;

INSERT INTO contacts (owner_id, id, first_name, last_name, email, mobile_phone, time_zone, created_at, modified_at)
SELECT DISTINCT ON (contact_n) owner_id, start.contacts + 1 + contact_n, 'Mia', 'Lund ' || contact_n,
       'running' || start.contacts + contact_n || '@example.org', '+1720' || lpad(contact_n::text, 7, '0'),
       'America/Denver', now(), now()
FROM wanted, start ORDER BY contact_n;

INSERT INTO campaign_contacts (owner_id, id, campaign_id, contact_id, created_at)
SELECT owner_id, id, owner_id, id, now() FROM contacts, start WHERE contacts.id > start.contacts;

INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, type, template_id, send_at)
SELECT owner_id, start.contacts + 1 + contact_n, start.contacts + 1 + contact_n, owner_id, 'Email Contact', owner_id,
       current_setting('bench.due')::timestamptz + n * interval '1 second' * current_setting('bench.apart')::float8
FROM wanted, start;

SELECT setval('contacts_id_seq', (SELECT max(id) FROM contacts)),
       setval('campaign_contacts_id_seq', (SELECT max(id) FROM campaign_contacts));
DROP TABLE wanted, start;
SET session_replication_role = origin;
