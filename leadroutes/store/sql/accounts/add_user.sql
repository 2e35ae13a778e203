-- first_name, last_name, username, email, phone, system_phone, timezone, timezone_offset, password_hash, is_admin, is_broker, now
INSERT INTO users (first_name, last_name, username, email, phone, system_phone, timezone, timezone_offset,
                   password_hash, is_admin, is_broker, created_at, modified_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id
