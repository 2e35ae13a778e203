-- Lifts what a number has asked for by a word of stopping, in all accounts. Returns whether it had. What it has
-- asked for since :at stays.
WITH address AS (
    SELECT a.digest FROM (SELECT address_digest(:phone, k.salt) AS digest FROM suppression_salt k) a
    WHERE NOT EXISTS (SELECT FROM stopped_phones s
                      WHERE s.digest = a.digest AND s.ended_at IS NULL AND s.stopped_at > :at)
), started AS (
    UPDATE stopped_phones s SET ended_at = :now FROM address a WHERE s.digest = a.digest AND s.ended_at IS NULL
    RETURNING 1
), lifted AS (
    UPDATE suppressions s SET ended_at = :now, consent = 'asked for texts again, by text'
    FROM address a
    WHERE s.digest = a.digest AND s.channel = 'text' AND s.reason = 'stopped' AND s.ended_at IS NULL
    RETURNING 1
)
SELECT EXISTS (SELECT FROM started) OR EXISTS (SELECT FROM lifted) AS is_new
