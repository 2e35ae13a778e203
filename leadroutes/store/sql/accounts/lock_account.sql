-- Locks a user's row for changes that no foreign key refers to, and returns what changes depend on, and what the audit
-- shows as it was before.
SELECT email, is_active, first_name, last_name, username, timezone, timezone_offset, phone, system_phone,
       profile_picture, postal_address, is_admin, is_broker
FROM users WHERE id = :user_id FOR NO KEY UPDATE
