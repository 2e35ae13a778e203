-- Returns the columns of a lead that routing depends on.
SELECT source_id, type, zipcode FROM leads WHERE owner_id = :owner_id AND id = :lead_id
