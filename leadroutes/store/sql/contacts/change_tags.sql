-- Sets the tags of contacts.
UPDATE contacts c SET tags = changed.tags, modified_at = :now
FROM unnest(:contact_ids::bigint[], :tags::text[]) AS changed (id, tags)
WHERE c.owner_id = :owner_id AND c.id = changed.id
