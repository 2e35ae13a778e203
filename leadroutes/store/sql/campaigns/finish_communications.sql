-- Completes campaign steps whose messages exist already and have been dealt with.
UPDATE contact_communications s SET is_active = false, completed_at = :now
FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[]) AS x (owner_id, id)
JOIN messages m ON m.owner_id = x.owner_id AND m.communication_id = x.id AND m.state NOT IN ('queued', 'sending')
WHERE s.owner_id = x.owner_id AND s.id = x.id AND s.is_active
