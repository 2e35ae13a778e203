-- Suppresses texts to a number for the whole installation: from now on for every owner who has it, for others once they
-- have. is_new: texts were not stopped before, for at least one owner; owner_ids: those for whom they were not. A row
-- that was inserted has no xmax.
WITH address AS (
    SELECT address_digest(:phone, k.salt) AS digest FROM suppression_salt k
), before AS MATERIALIZED (
    SELECT s.digest, s.ended_at FROM address a JOIN stopped_phones s ON s.digest = a.digest FOR UPDATE OF s
), stopped AS (
    INSERT INTO stopped_phones (digest, stopped_at) SELECT a.digest, :now::timestamptz FROM address a
    WHERE (SELECT count(*) FROM before) >= 0
    ON CONFLICT (digest) DO UPDATE SET stopped_at = excluded.stopped_at, ended_at = NULL
    RETURNING xmax = 0 AS is_inserted
), suppressed AS (
    INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, source_message_id)
    SELECT i.owner_id, 'text', i.value, a.digest, 'stopped', :now,
           (SELECT m.id FROM messages m
            WHERE m.owner_id = i.owner_id AND m.contact_id = i.contact_id AND m.channel = 'text'
              AND m.sent_at IS NOT NULL
            ORDER BY m.sent_at DESC LIMIT 1)
    FROM address a CROSS JOIN contact_identities i
    WHERE i.kind = 'phone' AND i.value = :phone
    ORDER BY 1
    ON CONFLICT DO NOTHING
    RETURNING owner_id
)
SELECT EXISTS (SELECT FROM stopped WHERE is_inserted) OR EXISTS (SELECT FROM before WHERE ended_at IS NOT NULL)
       OR EXISTS (SELECT FROM suppressed) AS is_new,
       ARRAY(SELECT owner_id FROM suppressed ORDER BY owner_id) AS owner_ids
