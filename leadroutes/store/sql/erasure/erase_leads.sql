-- Deletes the messages of a contact's leads, the properties that they asked about, and notes on junk; the leads stay,
-- with their states, and with the facts that decided about them, without what is personal in them.
WITH gone AS (
    UPDATE leads l
    SET text_body = NULL, html_body = NULL, mls_id = NULL, listing_status = NULL, listing_price = NULL,
        street_address = NULL, city = NULL, state = NULL, zipcode = NULL, inquirer = NULL, junk_note = NULL,
        modified_at = :now,
        facts = CASE WHEN l.facts ? 'named' THEN l.facts || jsonb_build_object('is_erased', true, 'named', (
            SELECT jsonb_object_agg(n.key, CASE WHEN n.key IN ('type', 'contact_is_new', 'received_at') THEN n.value
                ELSE '"erased"' END)
            FROM jsonb_each(l.facts -> 'named') n)) ELSE l.facts END
    WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id
      AND (num_nonnulls(text_body, html_body, mls_id, listing_status, listing_price, street_address, city, state,
                        zipcode, inquirer, junk_note) > 0
           OR l.facts ? 'named' AND NOT l.facts ? 'is_erased')
    RETURNING 1
)
SELECT count(*) FROM gone
