-- An alert by e-mail, and its job, for the first offer of bench.mails leads.
INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)
SELECT owner_id, 'offer', 'email', lead_id, id, user_id, now() FROM offers WHERE place = 0
LIMIT current_setting('bench.mails')::bigint;

INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, status)
SELECT 0, 'deliver', convert_to('{"owner_id":' || owner_id || ',"id":' || id || '}', 'UTF8'), now(), 'queued' FROM messages;
