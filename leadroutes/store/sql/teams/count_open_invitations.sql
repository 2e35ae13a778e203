-- :owner_id owner, whose row is locked, so that two invitations at once are counted one after the other. The next statement counts.
SELECT (SELECT count(*) FROM team_members WHERE owner_id = :owner_id AND request_status = 'Pending')
     + (SELECT count(*) FROM team_invitations WHERE owner_id = :owner_id AND request_status = 'Pending')
