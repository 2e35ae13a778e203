-- Sets the contact source of a contact that has none.
UPDATE contacts SET source_id = :contact_source_id WHERE owner_id = :owner_id AND id = :contact_id AND source_id IS NULL
