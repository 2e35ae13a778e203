-- Notes what the example brokerage has added to an account.
INSERT INTO example_brokerages (owner_id, records, created_at) VALUES (:owner_id, :records, :now)
