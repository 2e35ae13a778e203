-- Stores a text that came in, and returns its id; nothing where it was stored before.
INSERT INTO received_texts (provider_id, number, phone, body, opt_out_type, received_at)
VALUES (:provider_id, :number, :phone, :body, :opt_out_type, :now)
ON CONFLICT (provider_id) DO NOTHING
RETURNING id
