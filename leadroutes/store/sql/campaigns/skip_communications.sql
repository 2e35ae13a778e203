-- Ends campaign steps that are not sent, with the reason.
SELECT end_steps(:communication_ids::bigint[], :now, NULL, :reason)
