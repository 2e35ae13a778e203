-- A message that is to be sent has a delivery job, or waits for its moment.
SELECT messages.owner_id, messages.id AS message_id, messages.state
FROM messages
WHERE messages.state IN ('queued', 'sending') AND messages.leaves_at IS NULL
  AND NOT EXISTS (
      SELECT FROM pgqueuer
      WHERE pgqueuer.entrypoint = 'deliver'
        AND pgqueuer.payload = convert_to(
            format('{"owner_id":%s,"id":%s}', messages.owner_id, messages.id), 'UTF8'
        )
  )
