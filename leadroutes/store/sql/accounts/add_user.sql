-- Adds a user and returns the id; nothing when the e-mail is in use.
INSERT INTO users (first_name, last_name, username, email, phone, system_phone, timezone, timezone_offset,
                   password_hash, is_admin, is_broker, created_at, modified_at)
VALUES (:first_name, :last_name, :username, :email, :phone, :system_phone, :timezone, :timezone_offset, :password_hash,
        :is_admin, :is_broker, :now, :now)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id
