-- Returns an import that is under way, with its file and the rows that earlier attempts have made leads of.
SELECT i.state, i.columns::text AS columns, i.received_at, i.routes_recent, f.content,
       ARRAY(SELECT unnest(b.made) FROM import_batches b
             WHERE b.owner_id = i.owner_id AND b.import_id = i.id) AS made
FROM imports i
JOIN import_files f ON f.owner_id = i.owner_id AND f.import_id = i.id
WHERE i.owner_id = :owner_id AND i.id = :import_id AND i.state IN ('checking', 'importing')
