-- Deletes the texts of finished messages created before a moment; what kind was sent where stays.
WITH old AS (
    SELECT owner_id, id FROM messages
    WHERE created_at < :before AND text_body IS NOT NULL AND state NOT IN ('queued', 'sending')
    ORDER BY created_at LIMIT :most
    FOR NO KEY UPDATE SKIP LOCKED
), emptied AS (
    UPDATE messages m SET subject = NULL, text_body = NULL, html_body = NULL
    FROM old WHERE m.owner_id = old.owner_id AND m.id = old.id
    RETURNING 1
)
SELECT count(*) FROM emptied
