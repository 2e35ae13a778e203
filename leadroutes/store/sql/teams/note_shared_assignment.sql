-- :owner_id owner, :contact_id contact, :user_id user whom it was assigned to, :by_user_id user who did it. Kept where the two who share are behind it.
INSERT INTO shared_assignments (owner_id, contact_id, user_id, by_user_id)
SELECT :owner_id, :contact_id, :user_id, :by_user_id
WHERE EXISTS (SELECT FROM sharing_teammates t WHERE t.user_id = :owner_id AND t.teammate_id = :by_user_id)
