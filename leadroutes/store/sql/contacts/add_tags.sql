-- Adds tags that the owner does not have. :content_keys are the case-folded :contents.
INSERT INTO tags (owner_id, content, content_key)
SELECT :owner_id, content, content_key
FROM unnest(:contents::text[], :content_keys::text[]) AS tag (content, content_key)
ON CONFLICT (owner_id, content_key) DO NOTHING
