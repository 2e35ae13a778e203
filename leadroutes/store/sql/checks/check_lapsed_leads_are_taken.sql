-- While a worker is alive, no lapsed lead is overdue by more than a minute.
SELECT leads.owner_id, leads.id AS lead_id, leads.lapses_at
FROM leads, domain_clock
WHERE leads.lapses_at < domain_anchor + (clock_timestamp() - interval '1 minute' - real_anchor) * scale
  AND EXISTS (SELECT FROM worker_heartbeats WHERE beat_at > clock_timestamp() - interval '30 seconds')
