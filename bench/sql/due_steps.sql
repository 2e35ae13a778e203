-- For pgbench: 500 campaign steps, the earliest first, are marked and become messages with their jobs, in one statement.
WITH due AS (
    SELECT owner_id, id FROM contact_communications WHERE is_active AND taken_at IS NULL
    ORDER BY send_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE contact_communications c SET taken_at = now() FROM due WHERE c.owner_id = due.owner_id AND c.id = due.id
    RETURNING c.*
), message AS (
    INSERT INTO messages (owner_id, kind, channel, contact_id, communication_id, created_at)
    SELECT owner_id, 'campaign', 'email', contact_id, id, now() FROM taken
    RETURNING owner_id, id
), job AS (
    INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, status)
    SELECT 0, 'deliver', convert_to('{"owner_id":' || owner_id || ',"id":' || id || '}', 'UTF8'), now(), 'queued' FROM message
    RETURNING id
)
INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint) SELECT id, 'queued', 0, 'deliver' FROM job;
