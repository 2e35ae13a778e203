-- Deletes an invitation by e-mail and returns its id.
DELETE FROM team_invitations WHERE id = :member_id RETURNING id
