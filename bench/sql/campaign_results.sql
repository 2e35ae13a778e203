-- What a campaign of owner 1 has after years: two steps with two variants each, and bench.messages messages that were sent.
-- Triggers and foreign keys are off; the results are counted afterwards, as the triggers would have.
SET session_replication_role = replica;
SET synchronous_commit = off;

INSERT INTO campaigns (id, owner_id, name, name_key, created_at, modified_at)
VALUES (900000, 1, 'Long nurture', 'long nurture', now(), now());
INSERT INTO template_folders (owner_id, id, name) VALUES (1, 900000, 'Nurture');
INSERT INTO templates (owner_id, id, template_folder_id, subject, body, template_type, description, created_at, modified_at)
SELECT 1, 900000 + n, 900000, 'Hello', 'How is the hunt?', 'Email', 'Words ' || n, now(), now() FROM generate_series(1, 4) n;
INSERT INTO campaign_actions (owner_id, id, campaign_id, type, timing_type, delay_by_seconds, variants)
SELECT 1, 900000 + n, 900000, 'Email Contact', 'Delay by Minutes', n * 86400,
       json_build_array(json_build_object('template_id', 899999 + 2 * n, 'share', 1),
                        json_build_object('template_id', 900000 + 2 * n, 'share', 1))
FROM generate_series(1, 2) n;

INSERT INTO messages (owner_id, kind, channel, state, created_at, sent_at, action_id, template_id, replied_at, opted_out_at)
SELECT 1, 'campaign', 'email', CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'sent' END, now(), now(),
       900001 + n % 2, 900001 + 2 * (n % 2) + n / 2 % 2, CASE WHEN n % 11 = 0 THEN now() END,
       CASE WHEN n % 99 = 0 THEN now() END
FROM generate_series(1, current_setting('bench.messages')::bigint) n;
SELECT recount_step_results(1);
