-- A lead that a member has no longer counts as one that is open, or as one that the member got: it may make the member
-- available, for whom other leads wait.
CREATE TRIGGER note_closed_lead AFTER UPDATE OF is_closed, junk_reason ON leads
    FOR EACH ROW WHEN (OLD.claimed_by_user_id IS NOT NULL
                       AND (NEW.is_closed AND NOT OLD.is_closed
                            OR NEW.junk_reason IS NOT NULL AND OLD.junk_reason IS NULL))
    EXECUTE FUNCTION note_lost_lead();
