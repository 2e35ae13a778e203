-- :owner_id owner, :suppression_id suppression, :now now, :by_user_id who lifts it, :consent how the person has agreed, or null. It stays on record.
UPDATE suppressions SET ended_at = :now, ended_by_user_id = :by_user_id, consent = :consent
WHERE owner_id = :owner_id AND id = :suppression_id AND ended_at IS NULL
