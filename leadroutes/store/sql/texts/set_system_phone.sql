-- Makes a number the system_phone of a user, and of no one else; :user_id is null where it is no one's any more.
UPDATE users
SET system_phone = CASE WHEN id = :user_id::bigint THEN :number END, modified_at = :now
WHERE id = :user_id OR system_phone = :number
