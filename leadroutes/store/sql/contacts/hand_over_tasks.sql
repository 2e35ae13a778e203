-- $1 now, $2 owner, $3 contact, $4 who has it now, else its owner. Open tasks of campaigns go with the contact.
UPDATE tasks SET assigned_user_id = coalesce($4::bigint, $2), modified_at = $1
WHERE contact_owner_id = $2 AND contact_id = $3 AND follows_contact AND status = 'incomplete'
    AND assigned_user_id IS DISTINCT FROM coalesce($4::bigint, $2)
