-- Mail to every active user arrives: no mail server has said that their address takes none.
SELECT d.user_id, d.address, d.reason, d.at
FROM unreachable_users d
JOIN users u ON u.id = d.user_id AND u.is_active AND lower(u.email) = lower(d.address)
