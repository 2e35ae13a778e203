-- Arrays: :owner_ids owners, :key_ids intake keys, :seconds seconds. Until when what comes with these keys is put off, for all processes to
-- know; moved by a second at the least, as a crowd comes with one key.
UPDATE intake_keys k SET paced_until = x.until
FROM (SELECT owner_id, id, clock_timestamp() + max(seconds) * interval '1 second' AS until
      FROM unnest(:owner_ids::bigint[], :key_ids::bigint[], :seconds::float8[]) AS w (owner_id, id, seconds) GROUP BY owner_id, id) x
WHERE k.owner_id = x.owner_id AND k.id = x.id
  AND x.until > coalesce(k.paced_until, '-infinity') + interval '1 second'
