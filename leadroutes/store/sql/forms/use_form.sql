-- Marks a form as used, and deletes those of more than two days ago. Returns whether it was used for the first time,
-- and else the path of the page that answered then. :token_hash is a sha256.
WITH ended AS (DELETE FROM used_forms WHERE used_at < now() - interval '2 days'),
used AS (
    INSERT INTO used_forms (token_hash, user_id) VALUES (:token_hash, :user_id)
    ON CONFLICT (token_hash) DO NOTHING
    RETURNING token_hash
)
SELECT EXISTS (SELECT FROM used) AS is_first,
    (SELECT f.path FROM used_forms f WHERE f.token_hash = :token_hash AND f.user_id = :user_id) AS path
