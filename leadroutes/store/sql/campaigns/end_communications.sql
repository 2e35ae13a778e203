-- Ends campaign steps that have not been sent, with the reason.
SELECT end_steps(:communication_ids::bigint[], :now, :by_user_id, :reason)
