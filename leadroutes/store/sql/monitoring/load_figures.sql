-- Returns the figures of the whole installation. Every count ends at :most, so that only the edges of indexes are read.
SELECT
    (SELECT count(*) FROM (SELECT FROM leads WHERE lapses_at IS NOT NULL LIMIT :most) x) AS leads_on_offer,
    (SELECT count(*)
     FROM (SELECT * FROM leads WHERE unclaimed_at > :now::timestamptz - interval '24 hours'
           ORDER BY unclaimed_at DESC LIMIT :most) x
     LEFT JOIN claims c ON c.owner_id = x.owner_id AND c.lead_id = x.id
     WHERE lead_state(c.claimed_at, x.unclaimed_at, x.routed_at, x.is_imported) = 'unclaimed'
       AND x.junk_reason IS NULL) AS leads_unclaimed,
    (SELECT count(*)
     FROM (SELECT FROM offers WHERE state = 'scheduled' AND notify_at > :now::timestamptz
           LIMIT :most) x) AS offers_scheduled,
    (SELECT count(*)
     FROM (SELECT FROM offers WHERE state = 'scheduled' AND notify_at <= :now::timestamptz LIMIT :most) x)
        + (SELECT count(*) FROM (SELECT FROM leads WHERE lapses_at <= :now::timestamptz LIMIT :most) x)
        + (SELECT count(*) FROM (SELECT FROM contact_communications
                                 WHERE is_active AND taken_at IS NULL
                                   AND coalesce(waits_until, send_at) <= :now::timestamptz
                                 LIMIT :most) x) AS timers_due,
    greatest(0, extract(epoch FROM :now::timestamptz - least(
        (SELECT min(notify_at) FROM offers WHERE state = 'scheduled'),
        (SELECT min(lapses_at) FROM leads WHERE lapses_at IS NOT NULL),
        (SELECT min(coalesce(waits_until, send_at)) FROM contact_communications WHERE is_active AND taken_at IS NULL),
        (SELECT min(recurs_at) FROM tasks
         WHERE recurs_at IS NOT NULL)))::float8 / :scale::float8) AS timers_late_seconds,
    queue.due AS queue_due, queue.put_off AS queue_put_off,
    greatest(0, queue.late)::float8 AS queue_late_seconds,
    (SELECT count(*) FROM (SELECT FROM messages WHERE state IN ('queued', 'sending') LIMIT :most) x) AS messages_open,
    (SELECT count(*) FROM (SELECT FROM messages WHERE state IN ('failed', 'unknown')
                             AND created_at > :now::timestamptz - interval '24 hours'
                             LIMIT :most) x) AS messages_undelivered,
    (SELECT coalesce(100.0 * count(*) FILTER (WHERE x.error_code = ANY (:refused::integer[])) / nullif(count(*), 0), 0)
     FROM (SELECT error_code FROM messages
           WHERE channel = 'text' AND num_nonnulls(provider_id, error_code) > 0
             AND created_at > :now::timestamptz - interval '24 hours'
           ORDER BY created_at DESC LIMIT :most) x)::float8 AS texts_refused_percent,
    (SELECT count(*) FROM channel_faults) AS channel_faults,
    workers.alive AS workers_alive, coalesce(workers.silence, 'infinity')::float8 AS worker_silence_seconds
FROM (
    SELECT sum(due)::bigint AS due, sum(put_off)::bigint AS put_off, max(late) AS late
    FROM unnest(:entrypoints::text[]) AS wanted (entrypoint), LATERAL (
        SELECT (SELECT count(*)
                FROM (SELECT FROM pgqueuer q WHERE q.entrypoint = wanted.entrypoint AND q.status = 'queued'
                                        AND q.execute_after <= now() LIMIT :most) x) AS due,
               (SELECT count(*)
                FROM (SELECT FROM pgqueuer q WHERE q.entrypoint = wanted.entrypoint AND q.status = 'queued'
                                        AND q.execute_after > now() LIMIT :most) x) AS put_off,
               (SELECT extract(epoch FROM now() - min(q.execute_after)) FROM pgqueuer q
                WHERE q.entrypoint = wanted.entrypoint AND q.status = 'queued') AS late
    ) AS each
) AS queue, (
    SELECT count(*) FILTER (WHERE beat_at > now() - interval '30 seconds') AS alive,
           extract(epoch FROM now() - max(beat_at)) AS silence
    FROM worker_heartbeats
) AS workers
