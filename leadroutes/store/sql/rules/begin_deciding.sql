-- Says that this transaction decides by rules of these owners, which it reads afterwards: who leaves one of their teams
-- waits for it to end, and withdraws what it has offered. :owner_ids are sorted.
SELECT pg_advisory_xact_lock_shared(hashtextextended('decisions of ' || o.id, 0))
FROM unnest(:owner_ids::bigint[]) AS o (id)
