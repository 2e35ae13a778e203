-- Indexes in whose place others have come that begin with the same column.
DROP INDEX offers_user, offers_id, claims_user, contacts_assigned;
