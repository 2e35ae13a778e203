-- No statement of any version needs an offer by its id alone: each one names the owner, or the user and what that user sees.
-- A hash has no order, so each change of an offer went to a page at random: nine of ten had to be read from the disk, and to
-- be logged as a whole, once an owner has more offers than fit into the server's memory.
DROP INDEX IF EXISTS offers_by_id;
