-- Deletes the words of answers to requests of the provider that came before a moment; that they came stays for ever.
WITH old AS (
    SELECT key FROM provider_requests WHERE received_at < :before AND answer IS NOT NULL
    ORDER BY received_at LIMIT :most
    FOR NO KEY UPDATE SKIP LOCKED
), emptied AS (
    UPDATE provider_requests r SET answer = NULL, owner_id = NULL, contact_id = NULL
    FROM old WHERE r.key = old.key
    RETURNING 1
)
SELECT count(*) FROM emptied
