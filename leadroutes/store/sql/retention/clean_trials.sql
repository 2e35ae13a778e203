-- Deletes trials that were made before a moment.
WITH old AS (
    SELECT owner_id, id FROM rule_trials WHERE made_at < :before
    ORDER BY made_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM rule_trials t USING old WHERE t.owner_id = old.owner_id AND t.id = old.id
    RETURNING 1
)
SELECT count(*) FROM gone
