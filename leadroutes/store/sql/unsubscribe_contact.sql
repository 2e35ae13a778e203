-- $1 owner, $2 contact, $3 now. No more campaign mails to this contact: those that wait are done, later ones not sent.
WITH stopped AS (
    UPDATE contacts SET unsubscribed_at = coalesce(unsubscribed_at, $3) WHERE owner_id = $1 AND id = $2
)
UPDATE contact_communications SET is_active = false, completed_at = $3
WHERE owner_id = $1 AND contact_id = $2 AND type = 'Email Contact' AND is_active
