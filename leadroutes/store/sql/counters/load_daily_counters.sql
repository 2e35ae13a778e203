-- Returns an owner's counters of each day from :first_day to :last_day, both included; the subject is the day.
SELECT k.figure, k.day AS subject, k.part, sum(k.number)::bigint AS number
FROM counter_rows k
WHERE k.owner_id = :owner_id AND k.figure = ANY (:figures::text[])
  AND k.day BETWEEN :first_day::date AND :last_day::date
GROUP BY k.figure, k.day, k.part
HAVING sum(k.number) <> 0
