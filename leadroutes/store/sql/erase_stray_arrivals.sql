-- $1 owner, $2 contact, $3 now. What came in without becoming a lead, and holds one of his e-mail addresses or phones, in
-- whatever case, as a form writes it, and with whatever between the digits. What a mail has encoded is not seen.
WITH email AS (
    SELECT DISTINCT word FROM contact_identities i,
        unnest(ARRAY[i.value, replace(replace(i.value, '@', '%40'), '+', '%2b')]) AS word
    WHERE i.owner_id = $1 AND i.contact_id = $2 AND i.kind = 'email'
), phone AS (
    SELECT '(^|[^0-9]|1)' || regexp_replace(regexp_replace(i.value, '^\+1|^\+', ''), '(\d)(?=\d)', '\1[^0-9]{0,3}', 'g')
        || '([^0-9]|$)' AS pattern
    FROM contact_identities i WHERE i.owner_id = $1 AND i.contact_id = $2 AND i.kind = 'phone'
), stray AS (
    SELECT a.id FROM arrivals a, lower(concat(encode(a.body, 'escape'), ' ', a.headers)) AS text
    WHERE a.owner_id = $1 AND a.lead_id IS NULL AND a.emptied_at IS NULL
      AND (EXISTS (SELECT FROM email WHERE position(email.word IN text) > 0)
           OR EXISTS (SELECT FROM phone WHERE regexp_replace(text, '%[0-9a-f]{2}', ' ', 'g') ~ phone.pattern))
), key AS (
    DELETE FROM idempotency_keys k USING stray WHERE k.owner_id = $1 AND k.arrival_id = stray.id
), gone AS (
    UPDATE arrivals a
    SET body = '', headers = '{}', proof = NULL, reason = 'the contact was erased', source_named = NULL, emptied_at = now()
    FROM stray WHERE a.owner_id = $1 AND a.id = stray.id AND $3::timestamptz IS NOT NULL
    RETURNING 1
)
SELECT count(*) FROM gone
