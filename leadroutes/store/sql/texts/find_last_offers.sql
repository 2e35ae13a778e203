-- Returns the last offer that each agent with this phone was sent there by each owner but the agent.
SELECT DISTINCT ON (r.owner_id, o.user_id) r.owner_id, r.offer_id
FROM reply_numbers r
JOIN offers o ON o.owner_id = r.owner_id AND o.id = r.offer_id
WHERE r.phone = :phone AND r.owner_id <> o.user_id
ORDER BY r.owner_id, o.user_id, r.sent_at DESC
