-- Deletes the words and the sender of texts from the contact's phones that belonged to no one, and the notes of how
-- often they were answered. A text that has not been read yet is left to be read: it may be a word of stopping, or
-- concern another account.
WITH phone AS (
    SELECT value FROM contact_identities WHERE owner_id = :owner_id AND contact_id = :contact_id AND kind = 'phone'
), noted AS (
    DELETE FROM reply_phones p USING phone WHERE p.phone = phone.value AND p.last_number = 0
), gone AS (
    UPDATE received_texts t SET phone = NULL, body = NULL, outcome = 'ignored'
    FROM phone WHERE t.phone = phone.value AND t.handled_at IS NOT NULL
    RETURNING 1
)
SELECT count(*) FROM gone
