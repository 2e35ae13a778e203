-- $1 owner, $2 state or null for all, $3 only those before this id, or null, $4 how many. Newest first.
SELECT m.id, m.kind, m.channel, m.lead_id, m.state, m.reason, m.attempts, m.created_at, m.sent_at, m.subject, m.text_body,
       coalesce(m.address, CASE WHEN m.channel = 'email' THEN coalesce(u.email, c.email)
                                ELSE coalesce(u.phone, c.mobile_phone) END) AS address,
       coalesce(display_name(u), nullif(concat_ws(' ', c.first_name, c.last_name), ''), CASE WHEN m.contact_id IS NULL THEN m.address END,
                'the contact') AS recipient
FROM messages m
LEFT JOIN users u ON u.id = m.user_id
LEFT JOIN contacts c ON c.owner_id = m.owner_id AND c.id = m.contact_id
WHERE m.owner_id = $1 AND ($2::text IS NULL OR m.state = $2) AND ($3::bigint IS NULL OR m.id < $3)
ORDER BY m.id DESC
LIMIT $4
