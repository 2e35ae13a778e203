-- A campaign of owner 1 with bench.steps steps, as the preview shows it: of five, two mails and two texts, each with a
-- template of its own, and a call; half of them in office hours, every fifth with a condition. It comes after `found`.
-- Triggers and foreign keys are off: the rows are consistent.
SET session_replication_role = replica;

INSERT INTO campaigns (owner_id, id, name, name_key, created_at, modified_at)
VALUES (1, 910000, 'A year of news', 'a year of news', now(), now());
INSERT INTO template_folders (owner_id, id, name) VALUES (1, 910000, 'A year of news');

CREATE TEMPORARY TABLE steps ON COMMIT PRESERVE ROWS AS
SELECT n, (ARRAY['Email Contact', 'Text Contact', 'Email Contact', 'Text Contact', 'Call Contact'])[1 + n % 5] AS type
FROM generate_series(1, current_setting('bench.steps')::bigint) n;

INSERT INTO templates (owner_id, id, template_folder_id, subject, body, template_type, description, created_at, modified_at)
SELECT 1, 910000 + n, 910000,
       CASE type WHEN 'Email Contact' THEN 'News ' || n || ' for {{contact.first_name}}' END,
       'Hello {{contact.first_name}}, {% if lead.city %}there is news from {{lead.city}}{% else %}there is news'
           || '{% endif %}: homes like {{property.street_address}} sold within ' || n || ' days. '
           || CASE type WHEN 'Email Contact' THEN repeat('A long letter has a few more sentences than a text. ', 20)
                        ELSE '' END
           || 'Shall we talk? {{agent.first_name}}, {{agent.phone}}',
       CASE type WHEN 'Email Contact' THEN 'Email' WHEN 'Text Contact' THEN 'Text' ELSE 'Phone' END, 'News ' || n, now(), now()
FROM steps;

INSERT INTO campaign_actions (owner_id, id, campaign_id, type, template_id, timing_type, delay_by_days, dispatch_time,
    send_window, conditions)
SELECT 1, 910000 + n, 910000, type, 910000 + n, 'Delay by Day and Time', n * 9, '10:00',
       CASE WHEN n % 2 = 0 THEN '{"weekly_hours": {"monday": [["09:00", "17:00"]], "thursday": [["09:00", "17:00"]]}}'::json END,
       CASE WHEN n % 5 = 0 THEN '{"all": [{"field": "type", "is": "one of", "value": ["Buyer", "Seller"]}]}'::json END
FROM steps;

DROP TABLE steps;
SET session_replication_role = origin;
