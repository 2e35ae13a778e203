-- Lists the user and the members of the user's teams whose mail comes back, with what the mail server said; for an
-- administrator (:sees_all) everyone.
SELECT u.id, display_name(u) AS name, d.address, d.reason, d.at
FROM unreachable_users d
JOIN users u ON u.id = d.user_id AND u.is_active AND lower(u.email) = lower(d.address)
WHERE :sees_all::boolean OR u.id = :user_id
   OR u.id IN (SELECT t.teammate_id FROM teammates t WHERE t.user_id = :user_id)
ORDER BY u.id
LIMIT 50
