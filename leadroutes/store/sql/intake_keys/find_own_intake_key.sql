-- Returns a valid intake key of the owner.
SELECT lead_source_id, contact_source_id, format,
       is_known_to_its_sender_alone(k) OR secrets IS NOT NULL AS is_proven
FROM intake_keys k WHERE owner_id = :owner_id AND id = :key_id AND revoked_at IS NULL
