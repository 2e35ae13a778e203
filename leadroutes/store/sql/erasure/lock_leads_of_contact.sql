-- :owner_id owner, :contact_id contact. His leads, locked as whoever changes a lead locks it; answers which they are.
SELECT id, is_imported FROM leads WHERE owner_id = :owner_id AND contact_id = :contact_id ORDER BY id FOR NO KEY UPDATE
