-- Lifts a suppression, which stays on record. :consent says how the person has agreed, or is null.
UPDATE suppressions SET ended_at = :now, ended_by_user_id = :by_user_id, consent = :consent
WHERE owner_id = :owner_id AND id = :suppression_id AND ended_at IS NULL
