-- While a worker is alive, no offer is overdue by more than a minute.
SELECT offers.owner_id, offers.lead_id, offers.user_id, offers.notify_at
FROM offers, domain_clock
WHERE offers.state = 'scheduled'
  AND offers.notify_at < domain_anchor + (clock_timestamp() - interval '1 minute' - real_anchor) * scale
  AND EXISTS (SELECT FROM worker_heartbeats WHERE beat_at > clock_timestamp() - interval '30 seconds')
