-- Notes how many rows of an import are done.
UPDATE imports SET rows_done = :rows WHERE owner_id = :owner_id AND id = :import_id
