-- Adds an intake key and returns its id. :is_private null means that the format decides.
INSERT INTO intake_keys (owner_id, key_hash, lead_source_id, contact_source_id, format, created_at, secrets, is_private)
VALUES (:owner_id, :key_hash, :lead_source_id, :contact_source_id, :format, :now, :secrets, :is_private)
RETURNING id
