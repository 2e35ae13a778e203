---------------------------------------------------------------------------------------- campaigns ask for calls

-- Who was asked for the call that a step of a campaign is: set once, with the alerts; the step stays open until the call
-- is made.
ALTER TABLE contact_communications ADD COLUMN asked_user_id bigint REFERENCES users ON DELETE SET NULL;

-- An alert that asks for a call has the step.
ALTER TABLE messages ADD COLUMN due_call_id bigint;

-- A further kind of messages; whatever else was added stays. NOT VALID: the rows that exist have older kinds.
DO $$
DECLARE
    rule text;
BEGIN
    SELECT replace(pg_get_constraintdef(c.oid), ' NOT VALID', '') INTO STRICT rule FROM pg_constraint c
    WHERE c.conrelid = 'messages'::regclass AND c.conname = 'messages_kind_check';
    EXECUTE format('ALTER TABLE messages DROP CONSTRAINT messages_kind_check, ADD CONSTRAINT messages_kind_check %s'
                   ' NOT VALID', replace(rule, 'ARRAY[', 'ARRAY[''call_due'', '));
END $$;
