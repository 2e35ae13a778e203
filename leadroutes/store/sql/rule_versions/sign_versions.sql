-- Notes who has made the versions that this transaction makes, and when; all values of the lists are the same.
UPDATE rule_versions SET user_id = (:user_ids::bigint[])[1], at = (:moments::timestamptz[])[1]
WHERE made_in = pg_current_xact_id()
