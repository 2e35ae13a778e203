-- Suppresses the e-mail address that an unsubscribe link belongs to; a second use changes nothing, and returns no row,
-- nor does a link of an account that is gone, from which nothing is sent any more.
-- :message_id and :digest are null for links of earlier versions: they suppress every address that the contact has or
-- was mailed at.
-- The contact is marked too, for workers of the version before suppressions that still run.
WITH known AS (
    SELECT DISTINCT plain_address(a.address) AS value, address_digest(a.address, k.salt) AS digest
    FROM suppression_salt k, (
        SELECT c.email AS address FROM contacts c WHERE c.owner_id = :owner_id AND c.id = :contact_id
        UNION ALL
        SELECT m.address FROM messages m
        WHERE m.owner_id = :owner_id AND m.contact_id = :contact_id AND m.channel = 'email' AND m.state = 'sent'
    ) a
    WHERE a.address LIKE '%@%'
), marked AS (
    UPDATE contacts SET unsubscribed_at = :now
    WHERE owner_id = :owner_id AND id = :contact_id AND unsubscribed_at IS NULL
      AND (:digest::bytea IS NULL OR address_digest(email, (SELECT salt FROM suppression_salt)) = :digest)
)
INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, source_message_id)
SELECT u.id, 'email', x.value, x.digest, 'unsubscribed', :now::timestamptz, :message_id::bigint
FROM users u CROSS JOIN (
    SELECT value, digest FROM known WHERE :digest::bytea IS NULL OR digest = :digest
    UNION ALL
    SELECT NULL, :digest WHERE :digest IS NOT NULL AND NOT EXISTS (SELECT FROM known WHERE digest = :digest)
) x
WHERE u.id = :owner_id
ON CONFLICT DO NOTHING
RETURNING id
