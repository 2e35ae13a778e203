-- Records a channel's present fault; the moment at which it began stays.
INSERT INTO channel_faults (channel, reason) VALUES (:channel, :reason)
ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason, last_at = now()
