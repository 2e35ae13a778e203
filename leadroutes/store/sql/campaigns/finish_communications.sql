-- $1 now, $2 owner ids, $3 communications whose messages were made before and have been dealt with: they are done.
UPDATE contact_communications s SET is_active = false, completed_at = $1
FROM unnest($2::bigint[], $3::bigint[]) AS x (owner_id, id)
JOIN messages m ON m.owner_id = x.owner_id AND m.communication_id = x.id AND m.state NOT IN ('queued', 'sending')
WHERE s.owner_id = x.owner_id AND s.id = x.id AND s.is_active
