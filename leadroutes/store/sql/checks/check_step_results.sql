-- Every result of a campaign's step is what its messages add up to (`leadroutes recount EMAIL` counts them again).
WITH counted AS (
    SELECT owner_id, action_id, template_id, figure, sum(number) AS number FROM step_result_rows GROUP BY 1, 2, 3, 4
)
SELECT owner_id, action_id, template_id, figure, c.number AS counted, m.number AS there_are
FROM counted c FULL JOIN countable_step_results m USING (owner_id, action_id, template_id, figure)
WHERE coalesce(c.number, 0) <> coalesce(m.number, 0)
