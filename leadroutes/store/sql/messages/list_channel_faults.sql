-- Lists the channels that do not work, with the number of messages waiting for each, counted up to 10,000.
SELECT f.channel, f.reason, f.since, f.last_at,
       (SELECT count(*) FROM (SELECT FROM messages m WHERE m.state IN ('queued', 'sending') AND m.channel = f.channel
                              LIMIT 10000) x) AS waiting
FROM channel_faults f
ORDER BY f.channel
