-- Stores a text of someone who is not known as an arrival that made no lead, in the account of the user whose number it
-- came to, and returns its id.
INSERT INTO arrivals (owner_id, received_at, headers, body, status, reason)
VALUES (:owner_id, :at, '{"content-type": "application/json"}', :body, 'rejected', 'unknown_number')
RETURNING id
