-- Locks a contact and returns its id.
SELECT id FROM contacts WHERE owner_id = :owner_id AND id = :contact_id FOR UPDATE
