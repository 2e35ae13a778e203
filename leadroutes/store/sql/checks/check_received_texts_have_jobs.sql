-- A text that came in and has not been dealt with has a job that does.
SELECT t.id AS text_id, t.received_at
FROM received_texts t
WHERE t.handled_at IS NULL
  AND NOT EXISTS (
      SELECT FROM pgqueuer
      WHERE pgqueuer.entrypoint = 'read_text'
        AND pgqueuer.payload = convert_to(format('{"owner_id":0,"id":%s}', t.id), 'UTF8')
  )
