-- Notes the numbers of rows that have become leads.
INSERT INTO import_batches (owner_id, import_id, made) VALUES (:owner_id, :import_id, :made)
