-- Lists texts that belong to no one, the newest first.
SELECT id, number, phone, left(body, 1000) AS body, received_at FROM received_texts
WHERE outcome = 'unknown' ORDER BY id DESC LIMIT :most
