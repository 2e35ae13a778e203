-- Sets the status of a team member, and whether the member accepts that the team shares contacts.
UPDATE team_members SET request_status = :request_status, is_sharing_accepted = :is_sharing_accepted
WHERE id = :member_id
