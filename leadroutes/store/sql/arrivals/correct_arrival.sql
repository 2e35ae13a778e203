-- Stores what a person wrote instead of the body of an arrival that became no lead. Returns what the arrival was; its
-- columns have changed only if it is rejected or pending, and its body is still stored.
WITH present AS (
    SELECT owner_id, id, status, emptied_at FROM arrivals
    WHERE owner_id = :owner_id AND id = :arrival_id
    FOR NO KEY UPDATE
), corrected AS (
    UPDATE arrivals a
    SET correction = :correction, correction_format = :format, correction_type = :type, corrected_at = :now,
        corrected_by_user_id = :user_id
    FROM present p
    WHERE a.owner_id = p.owner_id AND a.id = p.id AND p.status IN ('rejected', 'pending') AND p.emptied_at IS NULL
)
SELECT status, emptied_at FROM present
