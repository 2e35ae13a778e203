-- Deletes tags that only this contact has; a tag that is used again is added again.
WITH tag AS (
    SELECT DISTINCT t.id, t.content FROM contacts c, string_to_table(c.tags, ',') AS piece
    JOIN tags t ON t.owner_id = :owner_id
        AND (t.content = btrim(piece, E' \t\r\n') OR t.content_key = lower(btrim(piece, E' \t\r\n')))
    WHERE c.owner_id = :owner_id AND c.id = :contact_id
), gone AS (
    DELETE FROM tags t USING tag
    WHERE t.owner_id = :owner_id AND t.id = tag.id
      AND NOT EXISTS (
          SELECT FROM contacts c
          WHERE c.owner_id = :owner_id AND c.id <> :contact_id AND position(lower(tag.content) IN lower(c.tags)) > 0)
    RETURNING 1
)
SELECT count(*) FROM gone
