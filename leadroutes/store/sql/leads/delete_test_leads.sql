-- Deletes an owner's test leads with all that belongs to them: arrivals, offers, messages, and the contacts that were
-- made for them and have no other lead. Returns how many leads there were.
WITH test AS MATERIALIZED (
    SELECT l.id, l.contact_id, l.arrival_id FROM leads l
    WHERE l.owner_id = :owner_id AND l.is_test
    ORDER BY l.id
    FOR UPDATE
), arrival AS (
    DELETE FROM arrivals a USING test t WHERE a.owner_id = :owner_id AND a.id = t.arrival_id
), lead AS (
    DELETE FROM leads l USING test t WHERE l.owner_id = :owner_id AND l.id = t.id
), contact AS (
    DELETE FROM contacts c USING test t
    WHERE c.owner_id = :owner_id AND c.id = t.contact_id
      AND NOT EXISTS (SELECT FROM leads l WHERE l.owner_id = c.owner_id AND l.contact_id = c.id
                      AND l.contact_id IS NOT NULL AND NOT l.is_test)
)
SELECT count(*) FROM test
