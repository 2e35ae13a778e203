-- While a worker is alive, no campaign step is overdue by more than a minute.
SELECT steps.owner_id, steps.id AS communication_id, steps.send_at
FROM contact_communications AS steps, domain_clock
WHERE steps.is_active AND steps.taken_at IS NULL
  AND coalesce(steps.campaign_id, 0) <> ALL (ARRAY(SELECT id FROM removed_campaigns))
  AND coalesce(steps.waits_until, steps.send_at)
      < domain_anchor + (clock_timestamp() - interval '1 minute' - real_anchor) * scale
  AND EXISTS (SELECT FROM worker_heartbeats WHERE beat_at > clock_timestamp() - interval '30 seconds')
