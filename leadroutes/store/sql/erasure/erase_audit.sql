-- Empties the acts on a contact and its leads: who did something when stays. What was changed had no values from the
-- beginning. Returns their number.
WITH about AS (
    SELECT '/contacts' COLLATE "C" AS resource, :contact_id AS record_id
    UNION ALL
    SELECT '/leads', l.id FROM leads l WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id
), emptied AS (
    UPDATE audit_entries a SET label = NULL, changes = '[]'
    FROM about
    WHERE a.owner_id = :owner_id AND a.resource = about.resource AND a.record_id = about.record_id
      AND (a.label IS NOT NULL OR a.changes::text <> '[]')
    RETURNING 1
)
SELECT count(*) FROM emptied
