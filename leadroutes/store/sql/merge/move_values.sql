-- Moves the values of custom fields that the remaining contact has none of.
INSERT INTO custom_field_values (owner_id, contact_id, custom_field_id, value)
SELECT owner_id, :target_id, custom_field_id, value FROM custom_field_values
WHERE owner_id = :owner_id AND contact_id = :merged_id
ON CONFLICT (owner_id, contact_id, custom_field_id) DO NOTHING
