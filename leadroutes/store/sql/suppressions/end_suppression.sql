-- $1 owner, $2 suppression, $3 now, $4 who lifts it, $5 how the person has agreed, or null. It stays on record.
UPDATE suppressions SET ended_at = $3, ended_by_user_id = $4, consent = $5
WHERE owner_id = $1 AND id = $2 AND ended_at IS NULL
