-- Returns what the numbers mean that a phone was sent with offers, one row each; a single row without a number where it
-- was only sent offers without one. is_open: it can still be claimed. No row: the phone was never sent an offer.
SELECT p.unnumbered_at, r.number, r.owner_id, r.offer_id, r.sent_at, o.lead_id, o.user_id,
       coalesce(o.state = 'notified', false)
           AND (SELECT k.user_id FROM claims k WHERE k.owner_id = o.owner_id AND k.lead_id = o.lead_id) IS NULL
           AS is_open
FROM reply_phones p
LEFT JOIN reply_numbers r ON r.phone = p.phone
LEFT JOIN offers o ON o.owner_id = r.owner_id AND o.id = r.offer_id
WHERE p.phone = :phone AND p.last_number > 0
ORDER BY r.sent_at DESC, r.number
