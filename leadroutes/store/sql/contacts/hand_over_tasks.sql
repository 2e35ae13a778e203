-- :now now, :owner_id owner, :contact_id contact, :user_id who has it now, else its owner. Open tasks of campaigns go with the contact.
UPDATE tasks SET assigned_user_id = coalesce(:user_id::bigint, :owner_id), modified_at = :now
WHERE contact_owner_id = :owner_id AND contact_id = :contact_id AND follows_contact AND status = 'incomplete'
    AND assigned_user_id IS DISTINCT FROM coalesce(:user_id::bigint, :owner_id)
