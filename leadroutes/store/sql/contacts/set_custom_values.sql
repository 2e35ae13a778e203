-- Sets the values of custom fields of a contact; null deletes one.
WITH given AS (
    SELECT custom_field_id, value
    FROM unnest(:custom_field_ids::bigint[], :values::text[]) AS entry (custom_field_id, value)
), removed AS (
    DELETE FROM custom_field_values v USING given
    WHERE v.owner_id = :owner_id AND v.contact_id = :contact_id AND v.custom_field_id = given.custom_field_id
      AND given.value IS NULL
)
INSERT INTO custom_field_values (owner_id, contact_id, custom_field_id, value)
SELECT :owner_id, :contact_id, custom_field_id, value FROM given WHERE value IS NOT NULL
ON CONFLICT (owner_id, contact_id, custom_field_id) DO UPDATE SET value = excluded.value
