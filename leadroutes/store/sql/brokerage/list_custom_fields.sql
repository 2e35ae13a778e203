-- Lists the names of the fields that an owner has added to contacts, in their order.
SELECT name FROM custom_fields WHERE owner_id = :owner_id ORDER BY rank, id
