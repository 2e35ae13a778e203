-- Makes the user who was invited a delegate, under the id of the invitation.
UPDATE delegates SET user_id = :user_id, email = NULL, declined_at = NULL, accepted_at = coalesce(accepted_at, :now)
WHERE id = :delegate_id
