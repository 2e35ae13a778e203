-- Returns the first text that has not been dealt with of those that came from the phone of :text_id before that one,
-- after :after_id and since :since; else that one itself, or nothing once it has been dealt with. With our number that
-- it came to: whose it is, and the intake key for people who are not known.
-- planner: computed once
SELECT t.id, t.provider_id, t.number, t.phone, t.body, t.opt_out_type, t.received_at, n.owner_id AS user_id,
       k.id AS intake_key_id, k.lead_source_id, k.contact_source_id,
       t.phone IS NOT NULL AND EXISTS (SELECT FROM messages m WHERE m.channel = 'text' AND m.address = t.phone
                                       AND m.sent_at IS NOT NULL) AS was_written_to
FROM received_texts t
LEFT JOIN phone_numbers n ON n.number = t.number
LEFT JOIN intake_keys k ON k.owner_id = n.owner_id AND k.id = n.intake_key_id AND k.revoked_at IS NULL
WHERE t.handled_at IS NULL
  AND t.id = coalesce((
      SELECT min(e.id)
      FROM (SELECT e.id, e.handled_at, e.received_at FROM received_texts e
            WHERE e.phone = (SELECT w.phone FROM received_texts w WHERE w.id = :text_id AND w.handled_at IS NULL)
            OFFSET 0) e
      WHERE e.id > :after_id AND e.id < :text_id AND e.handled_at IS NULL AND e.received_at > :since), :text_id)
