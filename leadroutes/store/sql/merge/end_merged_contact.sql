-- Deletes a contact of which nothing is left, and gives the remaining one the fields that it has now, a JSON object.
WITH gone AS (
    DELETE FROM contacts WHERE owner_id = :owner_id AND id = :merged_id
)
UPDATE contacts c
SET first_name = x.first_name, last_name = x.last_name, email = x.email, secondary_email = x.secondary_email,
    mobile_phone = x.mobile_phone, home_phone = x.home_phone, office_phone = x.office_phone, fax = x.fax,
    company = x.company, birthday = x.birthday, anniversary = x.anniversary, spouse_name = x.spouse_name,
    spouse_email = x.spouse_email, spouse_phone = x.spouse_phone, spouse_birthday = x.spouse_birthday, tags = x.tags,
    hotness_id = x.hotness_id, source_id = x.source_id, assigned_user_id = x.assigned_user_id, time_zone = x.time_zone,
    modified_at = :now
FROM json_populate_record(NULL::contacts, :fields::json) x
WHERE c.owner_id = :owner_id AND c.id = :target_id
