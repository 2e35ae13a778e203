-- Returns what this user had typed before the session ended. :token_hash is a sha256.
SELECT path, fields::text AS fields
FROM typed_forms
WHERE token_hash = :token_hash AND user_id = :user_id AND typed_at > now() - interval '1 hour'
