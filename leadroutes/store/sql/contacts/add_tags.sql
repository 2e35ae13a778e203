-- $1 owner, $2 contents, $3 the same case folded.
INSERT INTO tags (owner_id, content, content_key)
SELECT $1, content, content_key FROM unnest($2::text[], $3::text[]) AS tag (content, content_key)
ON CONFLICT (owner_id, content_key) DO NOTHING
