-- Makes imported leads routable and returns them, oldest first; but for those that are closed or junk.
WITH released AS (
    UPDATE leads SET is_imported = false
    WHERE owner_id = :owner_id AND id = ANY (:lead_ids::bigint[]) AND routed_at IS NULL
      AND NOT is_closed AND junk_reason IS NULL
      AND NOT EXISTS (SELECT FROM claims WHERE claims.owner_id = leads.owner_id AND claims.lead_id = leads.id)
    RETURNING id, created_at
)
SELECT id FROM released ORDER BY created_at, id
