-- Has steps of an owner looked at again that wait for contacts whose time zone is not known: of the contacts after
-- :after_id, in the order of their ids, so many at most. Returns the last contact; null where there is no more.
-- planner: per-row lookup
WITH held AS MATERIALIZED (
    SELECT s.contact_id FROM contact_communications s
    WHERE s.owner_id = :owner_id AND s.contact_id > :after_id
      AND s.is_active AND s.taken_at IS NULL AND s.waits_until IS NOT NULL
    ORDER BY s.contact_id LIMIT :most
), somewhere AS MATERIALIZED (
    SELECT c.id FROM (SELECT DISTINCT contact_id FROM held) h
    CROSS JOIN LATERAL (
        SELECT c.id FROM contacts c
        WHERE c.owner_id = :owner_id AND c.id = h.contact_id AND c.time_zone IS NULL
        OFFSET 0) c
), step AS MATERIALIZED (
    SELECT s.id FROM somewhere
    CROSS JOIN LATERAL (
        SELECT s.id FROM contact_communications s
        WHERE s.owner_id = :owner_id AND s.contact_id = somewhere.id
          AND s.is_active AND s.taken_at IS NULL AND s.waits_until IS NOT NULL
        OFFSET 0
        FOR NO KEY UPDATE) s
), again AS (
    UPDATE contact_communications s SET waits_until = NULL
    FROM step WHERE s.owner_id = :owner_id AND s.id = step.id
)
SELECT CASE WHEN count(*) >= :most THEN max(contact_id) END FROM held
