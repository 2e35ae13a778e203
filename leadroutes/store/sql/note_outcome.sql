-- $1 owner, $2 message, $3 state, $4 reason, $5 now, $6 address, $7 subject, $8 text, $9 HTML, $10 sender, $11 attempt.
-- Answers whether it was noted. Whose attempt was taken for dead, and followed by another one, may still say that it was
-- sent, which is true whatever came after it; but nothing else, and not to somebody who was erased in the meantime.
-- A campaign step is done once its message has been sent, or has been dealt with in another way than by stopping it.
WITH noted AS (
    UPDATE messages
    SET state = $3, reason = $4, sent_at = CASE WHEN $3 = 'sent' THEN $5::timestamptz END, address = $6, subject = $7,
        text_body = $8, html_body = $9
    WHERE owner_id = $1 AND id = $2
      AND (state = 'sending' AND attempts = $11 OR $3 = 'sent' AND state IN ('queued', 'sending', 'unknown')
           AND reason IS DISTINCT FROM 'the contact was erased')
    RETURNING owner_id, communication_id
), done AS (
    UPDATE contact_communications c
    SET is_active = false, completed_at = $5, sent_from_user_id = $10
    FROM noted
    WHERE $3 <> 'queued' AND c.owner_id = noted.owner_id AND c.id = noted.communication_id AND c.is_active
)
SELECT EXISTS (SELECT FROM noted)
