-- Deletes the texts of messages to the contact or about the contact's leads, texts and calls, and the contact's
-- address; which agent was notified stays. Queued messages are not sent.
WITH gone AS (
    UPDATE messages m
    SET subject = NULL, text_body = NULL, html_body = NULL,
        address = CASE WHEN m.user_id IS NOT NULL THEN m.address WHEN m.state = 'sent' THEN '(erased)' END,
        state = CASE WHEN m.state = 'queued' THEN 'suppressed' ELSE m.state END,
        reason = CASE WHEN m.state IN ('sent', 'suppressed') AND m.reason IS NULL THEN NULL
            ELSE 'the contact was erased' END
    WHERE m.owner_id = :owner_id
      AND (m.contact_id = :contact_id
           OR m.lead_id IN (SELECT id FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id)
           OR m.event_id IN (SELECT id FROM events WHERE owner_id = :owner_id AND contact_id = :contact_id)
           OR m.due_call_id IN (SELECT id FROM contact_communications
                                WHERE owner_id = :owner_id AND contact_id = :contact_id))
      AND (m.state = 'queued' OR num_nonnulls(m.subject, m.text_body, m.html_body) > 0
           OR m.contact_id IS NOT NULL AND m.address <> '(erased)' OR m.reason <> 'the contact was erased')
    RETURNING 1
)
SELECT count(*) FROM gone
