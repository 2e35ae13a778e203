-- Returns the name and postal address that an account's mails come from.
SELECT display_name(u) AS name, u.postal_address FROM users u WHERE u.id = :owner_id
