-- Assigns the open campaign tasks of a contact to its new user, or to its owner when :user_id is null.
UPDATE tasks SET assigned_user_id = coalesce(:user_id::bigint, :owner_id), modified_at = :now
WHERE contact_owner_id = :owner_id AND contact_id = :contact_id AND follows_contact AND status = 'incomplete'
    AND assigned_user_id IS DISTINCT FROM coalesce(:user_id::bigint, :owner_id)
