-- Locks a contact's leads, as every change of a lead does, and returns them.
SELECT id, is_imported FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id ORDER BY id FOR NO KEY UPDATE
