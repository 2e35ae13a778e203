-- Marks a text that came in as dealt with; returns a row unless another process was faster. What it said is elsewhere
-- by now, except where it belongs to no one.
UPDATE received_texts
SET outcome = :outcome, handled_at = :now,
    phone = CASE WHEN :outcome = 'unknown' THEN phone END, body = CASE WHEN :outcome = 'unknown' THEN body END
WHERE id = :text_id AND handled_at IS NULL
RETURNING true
