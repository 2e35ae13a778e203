-- Stores the picture of a user and its address. Returns no row if there is no such user.
WITH present AS (
    UPDATE users SET profile_picture = :address, modified_at = :now WHERE id = :user_id
    RETURNING id
), stored AS (
    INSERT INTO pictures (user_id, digest, content, created_at)
    SELECT id, :digest, :content, :now FROM present
    ON CONFLICT (user_id) DO UPDATE
        SET digest = excluded.digest, content = excluded.content, created_at = excluded.created_at
)
SELECT id FROM present
