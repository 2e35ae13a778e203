-- Returns a request to pass on a lead.
SELECT lead_id, from_user_id, to_user_id, note FROM handovers WHERE owner_id = :owner_id AND id = :handover_id
