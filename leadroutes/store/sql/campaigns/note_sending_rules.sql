-- Stores by which rules messages of campaigns leave from now on, and returns their version; nothing where they are
-- stored already.
INSERT INTO sending_rules (rules) VALUES (:rules)
ON CONFLICT (only_row) DO UPDATE SET version = sending_rules.version + 1, rules = excluded.rules
    WHERE sending_rules.rules <> excluded.rules
RETURNING version
