-- Deletes the words and the sender of texts that came in before a moment and belong to no one; that they came stays, so
-- that none is dealt with twice. How often phones that were sent no offer got help matters for an hour only.
WITH noted AS (
    DELETE FROM reply_phones
    WHERE last_number = 0 AND helped_at[cardinality(helped_at)] < now() - interval '1 day'
), old AS (
    SELECT id FROM received_texts
    WHERE received_at < :before AND phone IS NOT NULL AND handled_at IS NOT NULL
    ORDER BY received_at LIMIT :most
    FOR NO KEY UPDATE SKIP LOCKED
), emptied AS (
    UPDATE received_texts t SET phone = NULL, body = NULL, outcome = 'ignored' FROM old WHERE t.id = old.id
    RETURNING 1
)
SELECT count(*) FROM emptied
