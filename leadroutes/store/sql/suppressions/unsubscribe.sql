-- $1 owner, $2 contact, $3 the message whose link was used, $4 the digest of the address that it went to (both null for links of
-- earlier versions: then every address counts that the contact has, or was mailed at), $5 now. No more campaign mails to the
-- address. Doing it again changes nothing. The contact is marked for a worker of the version before suppressions, if one still runs.
WITH known AS (
    SELECT DISTINCT plain_address(a.address) AS value, address_digest(a.address, k.salt) AS digest
    FROM suppression_salt k, (
        SELECT c.email AS address FROM contacts c WHERE c.owner_id = $1 AND c.id = $2
        UNION ALL
        SELECT m.address FROM messages m WHERE m.owner_id = $1 AND m.contact_id = $2 AND m.channel = 'email' AND m.state = 'sent'
    ) a
    WHERE a.address LIKE '%@%'
), marked AS (
    UPDATE contacts SET unsubscribed_at = $5
    WHERE owner_id = $1 AND id = $2 AND unsubscribed_at IS NULL
      AND ($4::bytea IS NULL OR address_digest(email, (SELECT salt FROM suppression_salt)) = $4)
)
INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, source_message_id)
SELECT $1, 'email', value, digest, 'unsubscribed', $5::timestamptz, $3::bigint FROM known WHERE $4::bytea IS NULL OR digest = $4
UNION ALL
SELECT $1, 'email', NULL, $4, 'unsubscribed', $5, $3
WHERE $4 IS NOT NULL AND NOT EXISTS (SELECT FROM known WHERE digest = $4)
ON CONFLICT DO NOTHING
