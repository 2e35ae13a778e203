-- Adds an entry to the history of a lead.
INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id, by_user_id)
VALUES (:owner_id, :lead_id, :now, :kind, :user_id, :by_user_id)
