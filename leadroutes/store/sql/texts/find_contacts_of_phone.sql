-- Returns the contacts whose phone may be this one, the one that was last written to by text first; whoever asks
-- compares the phones themselves. Where very many have it, those are looked at that texts to it went to last, the one
-- who inquired with it, and :others of the others. :pattern finds its digits in the index of words. :user_id: whose
-- number it came to; then only contacts of that user, and of the owners for whom the user works.
-- planner: short array
WITH owner AS MATERIALIZED (
    SELECT DISTINCT i.owner_id FROM contact_identities i
    WHERE i.kind = 'phone' AND i.value = :phone
), working AS MATERIALIZED (
    SELECT m.owner_id FROM team_members m WHERE m.user_id = :user_id::bigint AND m.request_status = 'Accepted'
), candidate AS MATERIALIZED (
    SELECT i.owner_id, i.contact_id AS id FROM contact_identities i
    WHERE i.kind = 'phone' AND i.value = :phone
    UNION
    (SELECT m.owner_id, m.contact_id FROM messages m
     WHERE m.address = :phone AND m.channel = 'text' AND m.sent_at IS NOT NULL AND m.contact_id IS NOT NULL
     GROUP BY m.owner_id, m.contact_id
     ORDER BY max(m.sent_at) DESC LIMIT :others)
    UNION
    (SELECT c.owner_id, c.id FROM contacts c
     WHERE search_words(c.owner_id, ARRAY[c.first_name, c.last_name, c.company], ARRAY[c.email, c.secondary_email],
                        ARRAY[c.mobile_phone, c.home_phone, c.office_phone], c.tags)
         @@ search_pattern(ARRAY(SELECT owner_id FROM owner), :pattern)
       AND (:user_id::bigint IS NULL OR c.owner_id = :user_id OR c.assigned_user_id = :user_id
            OR c.owner_id = ANY (ARRAY(SELECT owner_id FROM working)))
     LIMIT :others)
)
SELECT c.owner_id, c.id, c.email, c.secondary_email, c.mobile_phone, c.home_phone, c.office_phone,
       sender_of(c.owner_id, c.assigned_user_id) AS agent_id
FROM candidate
CROSS JOIN LATERAL (SELECT * FROM contacts c
                    WHERE c.owner_id = candidate.owner_id AND c.id = candidate.id OFFSET 0) c
WHERE :user_id::bigint IS NULL OR c.owner_id = :user_id OR c.assigned_user_id = :user_id
   OR c.owner_id = ANY (ARRAY(SELECT owner_id FROM working))
ORDER BY (SELECT max(m.sent_at) FROM messages m
          WHERE m.owner_id = c.owner_id AND m.contact_id = c.id AND m.channel = 'text') DESC NULLS LAST,
         (c.assigned_user_id = :user_id) DESC NULLS LAST, c.id DESC
LIMIT :most
