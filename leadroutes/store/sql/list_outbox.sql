-- $1 owner, $2 state or null, $3 an id before which to begin or null, $4 how many. His messages, latest first.
SELECT m.id, m.kind, m.channel, m.state, m.reason, m.attempts, m.address, m.subject, m.text_body, m.created_at, m.sent_at,
       m.lead_id,
       CASE WHEN m.user_id IS NOT NULL THEN display_name(u)
            ELSE coalesce(nullif(btrim(concat_ws(' ', c.first_name, c.last_name)), ''), 'a contact') END AS recipient,
       m.contact_id IS NOT NULL AS is_to_contact
FROM messages m
LEFT JOIN users u ON u.id = m.user_id
LEFT JOIN contacts c ON c.owner_id = m.owner_id AND c.id = m.contact_id
WHERE m.owner_id = $1 AND ($2::text IS NULL OR m.state = $2) AND ($3::bigint IS NULL OR m.id < $3)
ORDER BY m.id DESC
LIMIT $4
