-- Returns the contact that another one was merged into.
SELECT contact_id FROM merged_contacts WHERE owner_id = :owner_id AND id = :merged_id
