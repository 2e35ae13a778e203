-- No statement of any version needs an offer by its id alone: each one names the owner, or the user and what that user sees.
-- A hash has no order, so each change of an offer went to a page at random: once an owner had more offers than fit into the
-- server's memory, a third of these pages had to be read again, and many were logged as a whole.
DROP INDEX IF EXISTS offers_by_id;
