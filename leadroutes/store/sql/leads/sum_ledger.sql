-- Returns how many inquiries an owner has received: each one is in exactly one of the other columns; imported leads are
-- counted apart, and junk ones once more. It reads the counters of months, and the changes that are not in them yet.
WITH counted AS (
    SELECT k.figure, k.number FROM counters k
    WHERE k.owner_id = :owner_id AND k.span = 'month'
      AND k.figure IN ('claimed', 'on offer', 'unclaimed', 'held', 'rejected', 'imported', 'junk')
    UNION ALL
    SELECT c.state, c.number FROM counter_changes c
    WHERE c.owner_id = :owner_id AND c.kind IN ('lead', 'imported', 'arrival', 'junk')
)
SELECT
    coalesce(sum(number) FILTER (WHERE figure NOT IN ('imported', 'junk')), 0)::bigint AS received,
    coalesce(sum(number) FILTER (WHERE figure = 'claimed'), 0)::bigint AS claimed,
    coalesce(sum(number) FILTER (WHERE figure = 'on offer'), 0)::bigint AS on_offer,
    coalesce(sum(number) FILTER (WHERE figure = 'unclaimed'), 0)::bigint AS unclaimed,
    coalesce(sum(number) FILTER (WHERE figure = 'held'), 0)::bigint AS held,
    coalesce(sum(number) FILTER (WHERE figure = 'rejected'), 0)::bigint AS rejected,
    coalesce(sum(number) FILTER (WHERE figure = 'imported'), 0)::bigint AS imported,
    coalesce(sum(number) FILTER (WHERE figure = 'junk'), 0)::bigint AS junk
FROM counted
