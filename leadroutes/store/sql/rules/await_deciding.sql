-- Waits until no transaction decides by earlier rules any more: those of :owner_id, else those of all owners of teams
-- of :user_id, in the order of the ids. Others begin to decide once this transaction has ended, by the rules of then.
SELECT pg_advisory_xact_lock(hashtextextended('decisions of ' || o.id, 0))
FROM (
    SELECT :owner_id::bigint AS id WHERE :owner_id::bigint IS NOT NULL
    UNION
    SELECT m.owner_id FROM team_members m WHERE m.user_id = :user_id::bigint AND :owner_id::bigint IS NULL
    ORDER BY 1
    OFFSET 0
) o
