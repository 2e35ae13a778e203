-- Returns the next arrivals that became no lead: a thousand at most, and four megabytes of bodies. is_match: the
-- pattern, which is in lower case, matches the stored text. is_encoded: the text contains encoded parts, so it has to
-- be decoded before the pattern can tell: transfer encodings and encoded words of mails, JSON escapes, character
-- references, and bytes outside ASCII (which the text has as \ and three digits).
-- planner: computed once
WITH next AS (
    SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS bytes_before
    FROM (SELECT id, body FROM arrivals
          WHERE owner_id = :owner_id AND id > :after_id AND lead_id IS NULL AND emptied_at IS NULL
          ORDER BY id LIMIT 1000) AS stray
)
SELECT a.id, text ~ :pattern AS is_match,
       text ~ 'base64|quoted-printable|=\?|\\u|\\/|\\[0-3][0-7]{2}|&#?[0-9a-z]+;' AS is_encoded
FROM next
JOIN arrivals a ON a.owner_id = :owner_id AND a.id = next.id
CROSS JOIN LATERAL (
    SELECT lower(concat_ws(' ', encode(a.body, 'escape'), encode(a.correction, 'escape'), a.headers)) AS text
    OFFSET 0) AS written
WHERE next.bytes_before < 4194304
ORDER BY a.id
