-- Returns the names of contacts.
SELECT id, first_name, last_name FROM contacts WHERE owner_id = :owner_id AND id = ANY (:contact_ids::bigint[])
