-- Returns the ids of a contact's leads.
SELECT id FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id
