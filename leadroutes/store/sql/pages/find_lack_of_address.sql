-- Returns whether an owner without a postal address has a campaign that sends mails.
SELECT coalesce(trim(u.postal_address), '') = '' AND EXISTS (
    SELECT FROM campaign_actions a WHERE a.owner_id = u.id AND a.type = 'Email Contact') AS lacks_postal_address
FROM users u WHERE u.id = :owner_id
