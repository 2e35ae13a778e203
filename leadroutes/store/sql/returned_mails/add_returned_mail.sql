-- Stores a mail that came back, as an arrival, and returns its message; arrival_id is null where it has come before, or
-- where :most mails have come to this message.
WITH message AS (
    SELECT m.kind, m.state, m.contact_id, m.lead_id FROM messages m
    WHERE m.owner_id = :owner_id AND m.id = :message_id AND (m.address LIKE '%@%' OR m.state = 'sending')
), new AS (
    INSERT INTO returned_mails (owner_id, message_id, digest, arrival_id, received_at)
    SELECT :owner_id, :message_id, :digest, nextval('arrivals_id_seq'), :now FROM message
    WHERE (SELECT count(*) FROM returned_mails r WHERE r.owner_id = :owner_id AND r.message_id = :message_id)
          < :most::bigint
    ON CONFLICT DO NOTHING
    RETURNING arrival_id
), stored AS (
    INSERT INTO arrivals (owner_id, id, received_at, headers, body, format, status, reason)
    SELECT :owner_id, arrival_id, :now, '{"Content-Type": "message/rfc822"}', :body, 'email', 'accepted', :reason
    FROM new
)
SELECT message.*, new.arrival_id FROM message LEFT JOIN new ON true
