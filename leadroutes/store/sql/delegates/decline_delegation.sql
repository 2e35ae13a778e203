-- Declines the invitation of a delegate, unless it was accepted, and returns its id.
UPDATE delegates SET declined_at = :now WHERE id = :delegate_id AND accepted_at IS NULL RETURNING id
