-- Empties a contact; its row stays, because leads refer to it.
WITH gone AS (
    UPDATE contacts
    SET first_name = NULL, last_name = NULL, email = NULL, secondary_email = NULL, mobile_phone = NULL,
        home_phone = NULL, office_phone = NULL, fax = NULL, company = NULL, birthday = NULL, anniversary = NULL,
        spouse_name = NULL, spouse_email = NULL, spouse_phone = NULL, spouse_birthday = NULL, tags = NULL,
        hotness_id = NULL, time_zone = NULL, unsubscribed_at = NULL, modified_at = :now
    WHERE owner_id = :owner_id AND id = :contact_id
    RETURNING 1
)
SELECT count(*) FROM gone
