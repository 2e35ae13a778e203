-- Lists a page of an owner's messages, newest first, with the person whom the lead is about, and the owner's own offer
-- of it, which has a page. :state, :channel, :before_id, :from_id and :words may be null. :words are looked for in
-- addresses and subjects; messages to :user_ids and :contact_ids, who have that name, are found as well.
SELECT m.id, m.kind, m.channel, m.lead_id, m.contact_id, m.state, m.reason, m.advice, m.attempts,
       m.created_at, m.sent_at,
       m.provider_state, m.error_code, m.delivered_at,
       m.subject,
       m.text_body,
       coalesce(m.address, CASE WHEN m.channel = 'email' THEN coalesce(u.email, c.email)
                                WHEN m.channel <> 'push' THEN coalesce(u.phone, c.mobile_phone) END) AS address,
       coalesce(display_name(u), nullif(concat_ws(' ', c.first_name, c.last_name), ''),
                CASE WHEN m.contact_id IS NULL THEN m.address END,
                'the contact') AS recipient,
       coalesce(nullif(concat_ws(' ', l.inquirer ->> 'first_name', l.inquirer ->> 'last_name'), ''),
                nullif(concat_ws(' ', p.first_name, p.last_name), '')) AS person,
       (SELECT max(o.id) FROM offers o
        WHERE o.owner_id = m.owner_id AND o.lead_id = m.lead_id AND o.user_id = m.owner_id AND o.notified_at IS NOT NULL
          AND o.state <> 'withdrawn') AS offer_id
FROM (SELECT * FROM messages
      WHERE owner_id = :owner_id AND (:state::text IS NULL OR state = :state)
        AND (:before_id::bigint IS NULL OR id < :before_id) AND (:from_id::bigint IS NULL OR id >= :from_id)
        AND (:channel::text IS NULL OR channel = :channel)
        AND (:words::text IS NULL OR strpos(lower(concat_ws(E'\n', address, subject)), :words) > 0
             OR user_id = ANY (:user_ids::bigint[]) OR contact_id = ANY (:contact_ids::bigint[]))
      ORDER BY id DESC LIMIT :most) AS m
LEFT JOIN users u ON u.id = m.user_id
LEFT JOIN contacts c ON c.owner_id = m.owner_id AND c.id = m.contact_id
LEFT JOIN leads l ON l.owner_id = m.owner_id AND l.id = m.lead_id
LEFT JOIN contacts p ON p.owner_id = l.owner_id AND p.id = l.contact_id
ORDER BY m.id DESC
