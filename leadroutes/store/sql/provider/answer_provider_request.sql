-- Stores the answer to a request of the provider, with the contact that it says something about, if any.
UPDATE provider_requests
SET is_answered = true, answer = :answer, owner_id = :owner_id::bigint, contact_id = :contact_id::bigint
WHERE key = :key
