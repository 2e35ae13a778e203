-- What vendors prove themselves with, encrypted with a key that is made from LEADROUTES_SECRET.
ALTER TABLE intake_keys ADD COLUMN secrets bytea;    -- null: the address is the secret

-- The headers that hold a sender's proof, so that it can be checked again when the arrival is read again.
ALTER TABLE arrivals ADD COLUMN proof bytea;         -- null: the door had let the sender in

CREATE INDEX arrivals_pending ON arrivals (owner_id, received_at) WHERE status = 'pending';
