-- Records the outcomes of delivery attempts (a JSON list, each message once), and returns the messages of those that
-- were recorded. An attempt that was presumed dead and replaced by another one may still record that it sent the
-- message, which remains true, unless the contact was erased in the meantime; it records nothing else. A campaign step
-- is completed when its message was sent, or was dealt with otherwise than by stopping it. A contact's address that a
-- mail server has refused permanently is suppressed.
-- planner: short list
WITH outcome AS (
    SELECT * FROM (SELECT * FROM json_to_recordset(:outcomes::json) AS x (
        owner_id bigint, id bigint, attempt int, state text, reason text, address text, subject text, text_body text,
        html_body text, sender_id bigint, is_counted boolean, is_dead_address boolean)
        LIMIT json_array_length(:outcomes::json)) x LIMIT json_array_length(:outcomes::json)
), noted AS (
    UPDATE messages m
    SET state = x.state, reason = x.reason, sent_at = CASE WHEN x.state = 'sent' THEN :now::timestamptz END,
        attempts = m.attempts - CASE WHEN x.is_counted THEN 0 ELSE 1 END,
        address = coalesce(x.address, m.address), subject = x.subject, text_body = x.text_body, html_body = x.html_body
    FROM outcome x
    WHERE m.owner_id = x.owner_id AND m.id = x.id
      AND (m.state = 'sending' AND m.attempts = x.attempt
           OR x.state = 'sent' AND m.state IN ('queued', 'sending', 'unknown')
               AND m.reason IS DISTINCT FROM 'the contact was erased')
    RETURNING m.owner_id, m.id, m.contact_id, m.communication_id, m.address, x.state, x.sender_id, x.is_dead_address
), done AS (
    UPDATE contact_communications c
    SET is_active = false, completed_at = :now,
        sent_from_user_id = CASE WHEN noted.state IN ('sent', 'unknown') THEN noted.sender_id END
    FROM noted
    WHERE noted.state <> 'queued' AND c.owner_id = noted.owner_id AND c.id = noted.communication_id AND c.is_active
), dead AS (
    INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, source_message_id)
    SELECT noted.owner_id, 'email', plain_address(noted.address), address_digest(noted.address, k.salt), 'bounced',
           :now, noted.id
    FROM noted, suppression_salt k
    WHERE noted.is_dead_address AND noted.contact_id IS NOT NULL
    ORDER BY 1, 3, 7
    ON CONFLICT DO NOTHING
)
SELECT owner_id, id FROM noted
