-- Takes the next turn of a sender, which is known by :name, where it comes within :patience; a sender has one in each
-- :interval of real time, by all processes together. Beyond :most of a day (null: no limit) only alerts have a turn; a
-- day is one of Pacific time. Returns granted_in, the seconds until the turn, or null; free_in, those until someone
-- else may have one; tomorrow_in, those until the next day; and whether the day is over.
WITH today AS (
    SELECT (clock_timestamp() AT TIME ZONE 'America/Los_Angeles')::date AS day
), others AS (
    SELECT coalesce(sum(o.sent), 0) AS sent FROM sending_pace o, today
    WHERE :most::bigint IS NOT NULL AND o.day = today.day AND o.name LIKE 'text %' AND o.name <> :name
), turn AS (
    INSERT INTO sending_pace AS p (name, free_at, day, sent)
    SELECT :name, clock_timestamp() + :interval::interval, today.day, 1
    FROM today, others WHERE :is_alert::boolean OR :most IS NULL OR others.sent < :most
    ON CONFLICT (name) DO UPDATE
        SET free_at = greatest(p.free_at, clock_timestamp()) + :interval, day = excluded.day,
            sent = CASE WHEN p.day = excluded.day THEN p.sent ELSE 0 END + 1
        WHERE p.free_at <= clock_timestamp() + :patience::interval
          AND (:is_alert OR :most IS NULL
               OR (CASE WHEN p.day = excluded.day THEN p.sent ELSE 0 END) + (SELECT sent FROM others) < :most)
    RETURNING free_at
)
SELECT (SELECT greatest(0, extract(epoch FROM free_at - :interval - clock_timestamp()))
        FROM turn)::float8 AS granted_in,
       coalesce(greatest(0, extract(epoch FROM p.free_at - clock_timestamp())), 0)::float8 AS free_in,
       extract(epoch FROM (today.day + 1)::timestamp AT TIME ZONE 'America/Los_Angeles'
                          - clock_timestamp())::float8 AS tomorrow_in,
       NOT :is_alert AND :most IS NOT NULL
           AND (CASE WHEN p.day = today.day THEN p.sent ELSE 0 END) + others.sent >= :most AS is_day_over
FROM today CROSS JOIN others LEFT JOIN sending_pace p ON p.name = :name
