-- Deletes the messages of a contact's leads and the properties that they asked about; the leads stay, with their
-- states.
WITH gone AS (
    UPDATE leads l
    SET text_body = NULL, html_body = NULL, mls_id = NULL, listing_status = NULL, listing_price = NULL,
        street_address = NULL, city = NULL, state = NULL, zipcode = NULL, inquirer = NULL, modified_at = :now
    WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id
      AND num_nonnulls(text_body, html_body, mls_id, listing_status, listing_price, street_address, city, state,
                       zipcode, inquirer) > 0
    RETURNING 1
)
SELECT count(*) FROM gone
