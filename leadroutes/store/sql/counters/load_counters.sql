-- Sums an owner's counters from :first_day to :last_day, both included, by figure, subject and part: whole months by
-- the counters of months, the days beside them by those of days, and the changes that are in neither yet.
-- planner: per-row lookup
WITH bounds AS (
    SELECT :first_day::date AS first_day, :last_day::date AS last_day,
           (date_trunc('month', :first_day::date - 1) + interval '1 month')::date AS first_month,
           date_trunc('month', :last_day::date + 1)::date AS after_months
), stretch AS (
    SELECT 'month' AS span, first_month AS first_day, after_months - 1 AS last_day FROM bounds
    UNION ALL SELECT 'day', first_day, least(last_day, first_month - 1) FROM bounds
    UNION ALL SELECT 'day', greatest(first_month, after_months), last_day FROM bounds
), counted AS (
    SELECT k.figure, k.subject, k.part, k.number
    FROM unnest(:figures::text[]) AS wanted (figure) CROSS JOIN stretch s
    CROSS JOIN LATERAL (
        SELECT * FROM counters k
        WHERE k.owner_id = :owner_id AND k.figure = wanted.figure AND k.span = s.span
          AND k.day BETWEEN s.first_day AND s.last_day
        OFFSET 0
    ) k
    UNION ALL
    SELECT f.figure, f.subject, f.part, c.number
    FROM counter_changes c CROSS JOIN LATERAL figures_of(c) f
    WHERE c.owner_id = :owner_id AND c.day BETWEEN :first_day::date AND :last_day::date
      AND f.figure = ANY (:figures::text[])
)
SELECT figure, subject, part, sum(number)::bigint AS number
FROM counted
GROUP BY figure, subject, part
HAVING sum(number) <> 0
