-- Returns the invitation that a link belongs to: the columns of find_team_place, and whether the address that it was
-- sent to has an account, and which. :token_hash is the sha256 of the link's token.
SELECT p.id, p.user_id, p.email, p.request_status, t.name AS team_name,
       t.is_contact_resource_sharing_enabled AS is_sharing, display_name(o) AS inviter_name, o.email AS inviter_email,
       EXISTS (SELECT FROM users u WHERE lower(u.email) = lower(p.email)) AS has_account
FROM invitation_tokens k
JOIN team_places p ON p.id = k.member_id
JOIN teams t ON t.owner_id = p.owner_id AND t.id = p.team_id
JOIN users o ON o.id = p.owner_id AND o.is_active
WHERE k.token_hash = :token_hash AND k.expires_at > now()
