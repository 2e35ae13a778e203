-- Returns the arrival of a mail that has come back before, also by a transaction that the statement before waited for.
SELECT arrival_id FROM returned_mails
WHERE owner_id = :owner_id AND message_id = :message_id AND digest = :digest
