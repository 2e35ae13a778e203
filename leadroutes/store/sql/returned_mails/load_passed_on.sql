-- Returns the answer that a message passes on, and the contact who wrote it.
SELECT a.body, a.emptied_at, c.first_name, c.last_name, c.email
FROM arrivals a
LEFT JOIN returned_mails r ON r.owner_id = a.owner_id AND r.arrival_id = a.id
LEFT JOIN messages m ON m.owner_id = r.owner_id AND m.id = r.message_id
LEFT JOIN contacts c ON c.owner_id = m.owner_id AND c.id = m.contact_id
WHERE a.owner_id = :owner_id AND a.id = :arrival_id
