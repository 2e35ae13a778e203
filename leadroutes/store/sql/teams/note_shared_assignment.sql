-- Records that a teammate who shares contacts with the owner has assigned one of them; nothing when the two do not
-- share.
INSERT INTO shared_assignments (owner_id, contact_id, user_id, by_user_id)
SELECT :owner_id, :contact_id, :user_id, :by_user_id
WHERE EXISTS (SELECT FROM sharing_teammates t WHERE t.user_id = :owner_id AND t.teammate_id = :by_user_id)
