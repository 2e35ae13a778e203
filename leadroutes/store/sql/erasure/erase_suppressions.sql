-- Deletes the contact's addresses from suppressions, which stay in force by their digests.
WITH address AS (
    SELECT DISTINCT address_digest(a.address, k.salt) AS digest
    FROM suppression_salt k, (
        SELECT x.address FROM contacts c
        CROSS JOIN LATERAL (VALUES (c.email), (c.secondary_email), (c.spouse_email)) AS x (address)
        WHERE c.owner_id = :owner_id AND c.id = :contact_id
        UNION ALL
        SELECT i.value FROM contact_identities i WHERE i.owner_id = :owner_id AND i.contact_id = :contact_id
        UNION ALL
        SELECT m.address FROM messages m WHERE m.owner_id = :owner_id AND m.contact_id = :contact_id
        UNION ALL
        SELECT d.address FROM leads l
        CROSS JOIN LATERAL (VALUES (l.inquirer ->> 'email'), (l.inquirer ->> 'phone')) AS d (address)
        WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id
    ) a
    WHERE a.address IS NOT NULL
), gone AS (
    UPDATE suppressions s SET value = NULL, consent = CASE WHEN s.consent IS NOT NULL THEN '(erased)' END
    FROM address a
    WHERE s.owner_id = :owner_id AND s.digest = a.digest AND s.value IS NOT NULL
    RETURNING 1
)
SELECT count(*) FROM gone
