-- first_name, last_name, username, email, phone, system_phone, timezone, timezone_offset, password_hash, is_admin, is_broker, now
INSERT INTO users (first_name, last_name, username, email, phone, system_phone, timezone, timezone_offset,
                   password_hash, is_admin, is_broker, created_at, modified_at)
VALUES (:first_name, :last_name, :username, :email, :phone, :system_phone, :timezone, :timezone_offset, :password_hash, :is_admin, :is_broker, :now, :now)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id
