--------------------------------------------------------------------------------------------------- mails that come back

-- Mails that came back to the addresses of a message. Each counts once, however often a mail server brings it.
CREATE TABLE returned_mails (
    owner_id bigint NOT NULL,
    message_id bigint NOT NULL,
    digest bytea NOT NULL,                           -- of its Message-ID, else of what it says
    arrival_id bigint NOT NULL,                      -- where it is stored
    received_at timestamptz NOT NULL,
    PRIMARY KEY (owner_id, message_id, digest),
    FOREIGN KEY (owner_id, message_id) REFERENCES messages (owner_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX returned_mails_arrival ON returned_mails (owner_id, arrival_id);

-- The answer of a contact that a message passes on.
ALTER TABLE messages ADD COLUMN arrival_id bigint;

-- A further kind of message; whatever else was added stays. NOT VALID: the rows that exist have older kinds.
DO $$
DECLARE
    rule text;
BEGIN
    SELECT replace(pg_get_constraintdef(c.oid), ' NOT VALID', '') INTO STRICT rule FROM pg_constraint c
    WHERE c.conrelid = 'messages'::regclass AND c.conname = 'messages_kind_check';
    IF position('''replied''' IN rule) = 0 THEN
        EXECUTE format('ALTER TABLE messages DROP CONSTRAINT messages_kind_check, ADD CONSTRAINT messages_kind_check %s'
                       ' NOT VALID', replace(rule, 'ARRAY[', 'ARRAY[''replied'', '));
    END IF;
END $$;

-- Why a run ended before its steps were done, where no person has stopped it.
ALTER TABLE campaign_contacts ADD COLUMN stopped_because text;

-- Users whose address takes no mail, as a mail server said. It counts for as long as the user has that address.
CREATE TABLE unreachable_users (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    address text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL
);
