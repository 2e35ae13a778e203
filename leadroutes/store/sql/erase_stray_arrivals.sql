-- $1 owner, $2 contact, $3 now. What came in without becoming a lead, and holds one of his e-mail addresses.
WITH words AS (
    SELECT convert_to(word, 'UTF8') AS word
    FROM contact_identities i, unnest(ARRAY[i.value, replace(i.value, '@', '%40')]) AS word
    WHERE i.owner_id = $1 AND i.contact_id = $2 AND i.kind = 'email'
), stray AS (
    SELECT a.id FROM arrivals a
    WHERE a.owner_id = $1 AND a.lead_id IS NULL AND a.emptied_at IS NULL
      AND EXISTS (SELECT FROM words WHERE position(words.word IN a.body) > 0)
), gone AS (
    UPDATE arrivals a SET body = '', headers = '{}', proof = NULL, reason = split_part(a.reason, ':', 1),
        source_named = NULL, emptied_at = now()
    FROM stray WHERE a.owner_id = $1 AND a.id = stray.id AND $3::timestamptz IS NOT NULL
    RETURNING 1
)
SELECT count(*) FROM gone
