------------------------------------------------------------------------- leads that a member has no longer, in turn

-- As where a pause ends: a lead that is being decided for this member is not due yet, so whoever decides it is waited
-- for. Otherwise that lead went on waiting, though the member had become available.
CREATE OR REPLACE FUNCTION note_lost_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM availabilities a WHERE a.id = OLD.claimed_by_user_id FOR NO KEY UPDATE;
    PERFORM note_return(OLD.claimed_by_user_id);
    RETURN NULL;
END $$;
