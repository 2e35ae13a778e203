-- Keeps what was typed for an hour, and deletes what is older. :token_hash is a sha256; :fields maps names to values.
WITH ended AS (DELETE FROM typed_forms WHERE typed_at < now() - interval '1 hour')
INSERT INTO typed_forms (token_hash, user_id, path, fields) VALUES (:token_hash, :user_id, :path, :fields::jsonb)
