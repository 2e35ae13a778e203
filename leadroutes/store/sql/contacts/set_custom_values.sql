-- $1 owner, $2 contact, $3 custom fields, $4 values; null removes.
WITH given AS (
    SELECT custom_field_id, value FROM unnest($3::bigint[], $4::text[]) AS entry (custom_field_id, value)
), removed AS (
    DELETE FROM custom_field_values v USING given
    WHERE v.owner_id = $1 AND v.contact_id = $2 AND v.custom_field_id = given.custom_field_id AND given.value IS NULL
)
INSERT INTO custom_field_values (owner_id, contact_id, custom_field_id, value)
SELECT $1, $2, custom_field_id, value FROM given WHERE value IS NOT NULL
ON CONFLICT (owner_id, contact_id, custom_field_id) DO UPDATE SET value = excluded.value
