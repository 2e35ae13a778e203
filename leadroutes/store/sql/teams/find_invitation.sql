-- Returns the invitation that a link belongs to, into a team or to act for an account: the columns of find_team_place,
-- whether the address that it was sent to has an account with a password, and the invited account if no one has set its
-- password yet. :token_hash is the sha256 of the link's token.
WITH invitation AS (
    SELECT p.id, p.user_id, p.email, p.request_status, t.name AS team_name,
           t.is_contact_resource_sharing_enabled AS is_sharing, p.owner_id, NULL AS role
    FROM invitation_tokens k
    JOIN team_places p ON p.id = k.member_id
    JOIN teams t ON t.owner_id = p.owner_id AND t.id = p.team_id
    WHERE k.token_hash = :token_hash AND k.expires_at > now()
    UNION ALL
    SELECT d.id, d.user_id, d.email, delegate_status(d), t.name, false, d.owner_id, d.role
    FROM invitation_tokens k
    JOIN delegates d ON d.id = k.member_id
    LEFT JOIN teams t ON t.owner_id = d.owner_id AND t.id = d.team_id
    WHERE k.token_hash = :token_hash AND k.expires_at > now()
)
SELECT i.id, i.user_id, i.email, i.request_status, i.team_name, i.is_sharing, display_name(o) AS inviter_name,
       o.email AS inviter_email, o.timezone AS inviter_timezone,
       EXISTS (SELECT FROM users u WHERE lower(u.email) = lower(i.email)
               AND (u.password_hash IS NOT NULL OR NOT u.is_active)) AS has_account,
       (SELECT u.id FROM users u
        WHERE (u.id = i.user_id OR i.user_id IS NULL AND lower(u.email) = lower(i.email))
          AND u.password_hash IS NULL AND u.is_active) AS passwordless_user_id,
       i.role
FROM invitation i
JOIN users o ON o.id = i.owner_id AND o.is_active
