-- :owner_id owner. Who the mails of this account come from.
SELECT display_name(u) AS name, u.postal_address FROM users u WHERE u.id = :owner_id
