-- Takes a request of the provider, which is known by :key; is_taken is false where it was answered, or another process
-- deals with it. One that a process has begun and not answered is taken over after :patience.
WITH taken AS (
    INSERT INTO provider_requests (key) VALUES (:key)
    ON CONFLICT (key) DO UPDATE SET taken_at = now()
        WHERE NOT provider_requests.is_answered AND provider_requests.taken_at < now() - :patience::interval
    RETURNING key
)
SELECT EXISTS (SELECT FROM taken) AS is_taken, r.is_answered, r.answer
FROM (VALUES (1)) one LEFT JOIN provider_requests r ON r.key = :key
