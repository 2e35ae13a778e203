-- Locks the availabilities of users, in order, so that no other decision about them is made before this one is
-- committed, and nothing they depend on changes.
SELECT a.id FROM availabilities a WHERE a.id = ANY (:user_ids::bigint[]) ORDER BY a.id FOR NO KEY UPDATE
