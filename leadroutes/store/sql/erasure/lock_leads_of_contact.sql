-- $1 owner, $2 contact. His leads, locked as whoever changes a lead locks it; answers which they are.
SELECT id, is_imported FROM leads WHERE owner_id = $1 AND contact_id = $2 ORDER BY id FOR NO KEY UPDATE
