-- Returns, locked, the birthday steps whose messages a restore has held back, and that have no successor yet.
SELECT s.owner_id, s.id
FROM contact_communications s
JOIN messages m ON m.owner_id = s.owner_id AND m.communication_id = s.id AND m.state = 'unknown'
WHERE s.is_active AND s.taken_at IS NULL
FOR NO KEY UPDATE OF s
