-- Empties the arrivals that became leads of the contact or touched one, and what came back from messages to the contact
-- or about these leads; deletes the dedupe keys by which they would be recognized.
WITH arrival AS (
    SELECT a.id FROM leads l JOIN arrivals a ON a.owner_id = l.owner_id AND a.lead_id = l.id
    WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id
    UNION
    SELECT l.arrival_id FROM leads l
    WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id AND l.arrival_id IS NOT NULL
    UNION
    SELECT (e.detail ->> 'arrival_id')::bigint FROM leads l
    JOIN lead_events e ON e.owner_id = l.owner_id AND e.lead_id = l.id
    WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id AND e.detail ? 'arrival_id'
    UNION
    SELECT r.arrival_id FROM messages m
    JOIN returned_mails r ON r.owner_id = m.owner_id AND r.message_id = m.id
    WHERE m.owner_id = :owner_id
      AND (m.contact_id = :contact_id
           OR m.lead_id IN (SELECT id FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id))
), key AS (
    DELETE FROM idempotency_keys k USING arrival WHERE k.owner_id = :owner_id AND k.arrival_id = arrival.id
), returned AS (
    DELETE FROM returned_mails r USING arrival WHERE r.owner_id = :owner_id AND r.arrival_id = arrival.id
), gone AS (
    UPDATE arrivals a
    SET body = '', headers = '{}', proof = NULL, correction = NULL, correction_format = NULL,
        correction_type = NULL, source_named = NULL, emptied_at = now(),
        reason = CASE WHEN a.reason IS NOT NULL THEN 'the contact was erased' END
    FROM arrival WHERE a.owner_id = :owner_id AND a.id = arrival.id
      AND (a.emptied_at IS NULL OR a.source_named IS NOT NULL OR a.reason <> 'the contact was erased')
    RETURNING 1
)
SELECT count(*) FROM gone
