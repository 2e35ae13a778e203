-- Returns the valid intake keys of these hashes, and records their use, at most once a minute. :key_hashes are sha256s.
-- A key that was replaced is valid until it ends.
WITH used AS (
    UPDATE intake_keys SET last_used_at = date_trunc('milliseconds', now())
    WHERE key_hash = ANY(:key_hashes::bytea[]) AND revoked_at IS NULL
      AND coalesce(last_used_at, '-infinity') < now() - interval '1 minute'
)
SELECT key_hash, owner_id, id, lead_source_id, contact_source_id, format, secrets,
       extract(epoch FROM paced_until - clock_timestamp())::float8 AS paced_for,
       is_known_to_its_sender_alone(k) AS is_private
FROM intake_keys k WHERE key_hash = ANY(:key_hashes::bytea[]) AND revoked_at IS NULL
UNION ALL
SELECT old_key_hash, owner_id, id, lead_source_id, contact_source_id, format, secrets,
       extract(epoch FROM paced_until - clock_timestamp())::float8 AS paced_for,
       is_known_to_its_sender_alone(k) AS is_private
FROM intake_keys k
WHERE old_key_hash = ANY(:key_hashes::bytea[]) AND revoked_at IS NULL AND old_key_ends_at > now()
