-- Forgets what the example brokerage has added to an account.
DELETE FROM example_brokerages WHERE owner_id = :owner_id
