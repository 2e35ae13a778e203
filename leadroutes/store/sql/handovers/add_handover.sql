-- Adds a request to pass on a lead, or one that needed no answer; returns nothing while another one is open.
INSERT INTO handovers (owner_id, lead_id, from_user_id, to_user_id, note, state, answered_at, created_at)
VALUES (:owner_id, :lead_id, :from_user_id, :to_user_id, :note, :state,
        CASE WHEN :state::text <> 'asked' THEN :now::timestamptz END, :now)
ON CONFLICT (owner_id, lead_id) WHERE state = 'asked' DO NOTHING
RETURNING id
