------------------------------------------------------------------------------------------------ exclusive offers, once

-- Whether the offers of a lead are exclusive: as the rules that decided the lead say (decided_by is their number), else
-- as the team does now. In FROM the planner merges it into the statement, which looks up each row by its key.
CREATE FUNCTION exclusivity_of(owner bigint, decided_by bigint, team bigint) RETURNS TABLE (is_exclusive boolean)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
        CASE WHEN decided_by <> (SELECT u.rules_version FROM users u WHERE u.id = owner) THEN (
            SELECT r.rules #>> ARRAY['teams', team::text, 'offer_mode']
            FROM rule_sets r WHERE r.owner_id = owner AND r.number = decided_by) END,
        (SELECT t.offer_mode FROM teams t WHERE t.owner_id = owner AND t.id = team), '') = 'Exclusive';
END;
