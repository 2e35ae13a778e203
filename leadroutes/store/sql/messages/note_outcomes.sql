-- Records the outcomes of delivery attempts (a JSON list, each message once), and returns the messages of those that
-- were recorded. An attempt that was presumed dead and replaced by another one may still record that it sent the
-- message, which remains true, unless the contact was erased in the meantime; it records nothing else. A campaign step
-- is completed when its message was sent, or was dealt with otherwise than by stopping it, but for a call that is asked
-- for now. A contact's address that a mail server has refused permanently is suppressed, as is a number that takes no
-- texts, for the reason suppressed_as; a user with such an e-mail address is known to be unreachable. What the provider
-- reported before the outcome was recorded stays, and so do the words of an answer. has_failed: it was an alert about
-- an offer.
-- planner: short list
WITH outcome AS (
    SELECT * FROM (SELECT * FROM json_to_recordset(:outcomes::json) AS x (
        owner_id bigint, id bigint, attempt int, state text, reason text, address text, subject text, text_body text,
        html_body text, sender_id bigint, is_counted boolean, is_dead_address boolean, suppressed_as text,
        provider_id text, provider_state text, error_code int, leaves_at timestamptz, asks_at timestamptz, advice text,
        action_id bigint, template_id bigint)
        LIMIT json_array_length(:outcomes::json)) x LIMIT json_array_length(:outcomes::json)
), noted AS (
    UPDATE messages m
    SET state = x.state, reason = x.reason, sent_at = CASE WHEN x.state = 'sent' THEN :now::timestamptz END,
        attempts = m.attempts - CASE WHEN x.is_counted THEN 0 ELSE 1 END,
        address = coalesce(x.address, m.address), subject = x.subject, html_body = x.html_body,
        text_body = coalesce(x.text_body, CASE WHEN m.kind IN ('answer', 'confirmation') THEN m.text_body END),
        provider_id = coalesce(x.provider_id, m.provider_id),
        provider_state = CASE WHEN x.provider_id <> m.provider_id THEN x.provider_state
            ELSE coalesce(m.provider_state, x.provider_state) END,
        error_code = CASE WHEN x.provider_id <> m.provider_id THEN x.error_code
            ELSE coalesce(m.error_code, x.error_code) END,
        leaves_at = x.leaves_at, asks_at = x.asks_at, advice = x.advice,
        action_id = coalesce(x.action_id, m.action_id), template_id = coalesce(x.template_id, m.template_id)
    FROM outcome x
    WHERE m.owner_id = x.owner_id AND m.id = x.id
      AND (m.state = 'sending' AND m.attempts = x.attempt
           OR x.state = 'sent' AND m.state IN ('queued', 'sending', 'unknown')
               AND m.reason IS DISTINCT FROM 'the contact was erased')
    RETURNING m.owner_id, m.id, m.kind, m.channel, m.contact_id, m.user_id, m.communication_id, m.address, m.reason,
        x.state, x.sender_id, x.is_dead_address,
        coalesce(x.suppressed_as, CASE WHEN x.is_dead_address AND m.contact_id IS NOT NULL THEN 'bounced' END)
            AS suppressed_as, m.provider_id, m.provider_state, m.error_code
), done AS (
    UPDATE contact_communications c
    SET is_active = false, completed_at = :now,
        sent_from_user_id = CASE WHEN noted.state IN ('sent', 'unknown') THEN noted.sender_id END
    FROM noted
    WHERE noted.state <> 'queued' AND c.owner_id = noted.owner_id AND c.id = noted.communication_id AND c.is_active
      AND NOT (noted.channel = 'call' AND noted.state = 'sent')
), dead AS (
    INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, source_message_id)
    SELECT noted.owner_id, noted.channel, plain_address(noted.address), address_digest(noted.address, k.salt),
           noted.suppressed_as, :now, noted.id
    FROM noted, suppression_salt k
    WHERE noted.suppressed_as IS NOT NULL AND noted.address IS NOT NULL
    ORDER BY 1, 3, 7
    ON CONFLICT DO NOTHING
), unreachable AS (
    INSERT INTO unreachable_users (user_id, address, reason, at)
    SELECT DISTINCT ON (u.id) u.id, noted.address, noted.reason, :now
    FROM noted JOIN users u ON u.id = noted.user_id AND lower(u.email) = lower(noted.address)
    WHERE noted.is_dead_address
    ORDER BY u.id, noted.id DESC
    ON CONFLICT (user_id) DO UPDATE SET address = excluded.address, reason = excluded.reason, at = excluded.at
)
SELECT owner_id, id, provider_id, provider_state, error_code,
       state = 'failed' AND kind IN ('offer', 'reoffer') AS has_failed
FROM noted
