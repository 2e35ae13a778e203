-- :owner_id owner, :contents contents, :content_keys the same case folded.
INSERT INTO tags (owner_id, content, content_key)
SELECT :owner_id, content, content_key FROM unnest(:contents::text[], :content_keys::text[]) AS tag (content, content_key)
ON CONFLICT (owner_id, content_key) DO NOTHING
