-- Every counter is what the rows add up to (`leadroutes recount EMAIL` counts them again).
WITH meant AS (
    SELECT owner_id, figure, day, subject, part, sum(number) AS number FROM countable_rows GROUP BY 1, 2, 3, 4, 5
), counted AS (
    SELECT owner_id, figure, day, subject, part, sum(number) AS number FROM counter_rows GROUP BY 1, 2, 3, 4, 5
), monthly AS (
    SELECT owner_id, figure, day, subject, part, number FROM counters WHERE span = 'month'
), summed AS (
    SELECT owner_id, figure, date_trunc('month', day)::date AS day, subject, part, sum(number) AS number
    FROM counters WHERE span = 'day' GROUP BY 1, 2, 3, 4, 5
)
SELECT owner_id, figure, 'day' AS span, day, subject, part, c.number AS counted, m.number AS there_are
FROM counted c FULL JOIN meant m USING (owner_id, figure, day, subject, part)
WHERE coalesce(c.number, 0) <> coalesce(m.number, 0)
UNION ALL
SELECT owner_id, figure, 'month', day, subject, part, c.number, m.number
FROM monthly c FULL JOIN summed m USING (owner_id, figure, day, subject, part)
WHERE coalesce(c.number, 0) <> coalesce(m.number, 0)
