-- Sets why a lead is junk, or that it is not, and whether the turn that it took has been given back.
UPDATE leads SET junk_reason = :reason, junk_note = :note, is_turn_given_back = :is_turn_given_back, modified_at = :now
WHERE owner_id = :owner_id AND id = :lead_id
