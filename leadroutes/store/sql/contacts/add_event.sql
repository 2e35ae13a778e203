-- Adds an event of a contact that someone enters by hand.
INSERT INTO events (owner_id, user_id, contact_id, type, description, created_at, modified_at)
VALUES (:owner_id, :user_id, :contact_id, :type, :description, :now, :now)
RETURNING id
