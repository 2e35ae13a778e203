-- Returns the newest contact of an account, to show a template with.
SELECT max(id) FROM contacts WHERE owner_id = :owner_id
