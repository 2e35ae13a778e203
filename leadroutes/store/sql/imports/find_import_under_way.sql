-- Returns the id of an owner's import that is under way.
SELECT id FROM imports WHERE owner_id = :owner_id AND state IN ('checking', 'importing') LIMIT 1
