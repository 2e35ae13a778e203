-- :owner_id owner, :after_id after which id, :pattern a pattern for small letters. The next arrivals that became no lead: a thousand, or as many as
-- have four megabytes together. Which the pattern finds as they stand; and which of the others have to be read first, as
-- there is something in them that stands for something else: transfer encodings and encoded words of mails, escapes of
-- JSON, references of markup, and bytes that are no ASCII (the text has them as \ and three digits).
WITH next AS (
    SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS bytes_before
    FROM (SELECT id, body FROM arrivals
          WHERE owner_id = :owner_id AND id > :after_id AND lead_id IS NULL AND emptied_at IS NULL
          ORDER BY id LIMIT 1000) AS stray
)
SELECT a.id, text ~ :pattern AS is_his,
       text ~ 'base64|quoted-printable|=\?|\\u|\\/|\\[0-3][0-7]{2}|&#?[0-9a-z]+;' AS is_wrapped
FROM next
JOIN arrivals a ON a.owner_id = :owner_id AND a.id = next.id
CROSS JOIN LATERAL (SELECT lower(concat(encode(a.body, 'escape'), ' ', a.headers)) AS text OFFSET 0) AS written
WHERE next.bytes_before < 4194304
ORDER BY a.id
