-- Returns whether a lead has come into an account, be it a test lead.
SELECT EXISTS (SELECT FROM leads l WHERE l.owner_id = :owner_id)
