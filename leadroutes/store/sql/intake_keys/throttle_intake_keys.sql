-- Sets until when arrivals of these intake keys are deferred, for all processes. A key moves by at least a second,
-- because many arrivals come with one key.
UPDATE intake_keys k SET paced_until = x.until
FROM (SELECT owner_id, id, clock_timestamp() + max(seconds) * interval '1 second' AS until
      FROM unnest(:owner_ids::bigint[], :key_ids::bigint[], :seconds::float8[]) AS w (owner_id, id, seconds)
      GROUP BY owner_id, id) x
WHERE k.owner_id = x.owner_id AND k.id = x.id
  AND x.until > coalesce(k.paced_until, '-infinity') + interval '1 second'
