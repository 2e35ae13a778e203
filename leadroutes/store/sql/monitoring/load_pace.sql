-- Returns the activity of the last minute and hour of domain time, from the newest leads, and the jobs of the last
-- minute of real time. Where a count has ended at :most, its span says how long that number took.
-- planner: computed once
WITH newest AS MATERIALIZED (
    SELECT owner_id, id, created_at, routed_at, unclaimed_at, is_imported FROM leads ORDER BY id DESC LIMIT :most
), hour AS (
    SELECT newest.*, c.claimed_at,
           lead_state(c.claimed_at, newest.unclaimed_at, newest.routed_at, newest.is_imported) AS state
    FROM newest
    LEFT JOIN claims c ON c.owner_id = newest.owner_id AND c.lead_id = newest.id
    WHERE NOT is_imported AND created_at > :now::timestamptz - interval '1 hour'
), minute AS (
    SELECT * FROM hour WHERE created_at > :now::timestamptz - interval '1 minute'
), jobs AS (
    SELECT status, created FROM pgqueuer_log
    WHERE created > now() - interval '1 minute' AND status IN ('successful', 'exception', 'failed')
    ORDER BY created DESC LIMIT :most
)
SELECT
    (SELECT count(*) FROM minute) AS leads_minute,
    (SELECT CASE WHEN count(*) = :most THEN extract(epoch FROM :now::timestamptz - min(created_at)) ELSE 60 END::float8
     FROM minute)
        AS leads_span_seconds,
    count(*) AS leads_hour,
    count(*) FILTER (WHERE state = 'claimed') AS claimed,
    count(*) FILTER (WHERE state = 'unclaimed') AS unclaimed,
    extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY claimed_at - created_at)
        FILTER (WHERE claimed_at IS NOT NULL))::float8 AS median_claim_seconds,
    (SELECT count(*) FILTER (WHERE status = 'successful') FROM jobs) AS jobs_done,
    (SELECT count(*) FILTER (WHERE status <> 'successful') FROM jobs) AS jobs_broken,
    (SELECT CASE WHEN count(*) = :most THEN extract(epoch FROM now() - min(created)) ELSE 60 END::float8 FROM jobs)
        AS jobs_span_seconds
FROM hour
