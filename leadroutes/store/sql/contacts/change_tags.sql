-- $1 owner, $2 now, $3 contacts, $4 their tags.
UPDATE contacts c SET tags = changed.tags, modified_at = $2
FROM unnest($3::bigint[], $4::text[]) AS changed (id, tags)
WHERE c.owner_id = $1 AND c.id = changed.id
