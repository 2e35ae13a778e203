-- Gives an owner's intake key a new secret; the one that it had is valid for as long as :lives. One that was replaced
-- before ends now. Returns no row for a key that is revoked or another owner's.
UPDATE intake_keys
SET key_hash = :key_hash, old_key_hash = key_hash,
    old_key_ends_at = date_trunc('milliseconds', now() + :lives::interval)
WHERE owner_id = :owner_id AND id = :key_id AND revoked_at IS NULL
RETURNING id
