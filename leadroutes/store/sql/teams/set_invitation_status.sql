-- Sets the status of an invitation by e-mail.
UPDATE team_invitations SET request_status = :request_status WHERE id = :member_id
