-- Counts an owner's pending invitations. The caller holds the owner's row, so that simultaneous invitations are counted
-- one after the other.
SELECT (SELECT count(*) FROM team_members WHERE owner_id = :owner_id AND request_status = 'Pending')
     + (SELECT count(*) FROM team_invitations WHERE owner_id = :owner_id AND request_status = 'Pending')
     + (SELECT count(*) FROM delegates d WHERE d.owner_id = :owner_id AND delegate_status(d) = 'Pending')
