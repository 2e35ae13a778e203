-- Deletes the words and the sender of texts from the contact's phones that belonged to no one, and the notes of how
-- often they were answered.
WITH phone AS (
    SELECT value FROM contact_identities WHERE owner_id = :owner_id AND contact_id = :contact_id AND kind = 'phone'
), noted AS (
    DELETE FROM reply_phones p USING phone WHERE p.phone = phone.value AND p.last_number = 0
), gone AS (
    UPDATE received_texts t
    SET phone = NULL, body = NULL, outcome = 'ignored', handled_at = coalesce(t.handled_at, :now)
    FROM phone WHERE t.phone = phone.value
    RETURNING 1
)
SELECT count(*) FROM gone
