-- Moves the e-mails and phones that identified a contact, so that later inquiries find the remaining one.
UPDATE contact_identities SET contact_id = :target_id, is_from_merge = true
WHERE owner_id = :owner_id AND contact_id = :merged_id
