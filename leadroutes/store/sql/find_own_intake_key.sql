-- $1 owner, $2 intake key. One of his that is valid.
SELECT lead_source_id, contact_source_id, format
FROM intake_keys WHERE owner_id = $1 AND id = $2 AND revoked_at IS NULL
