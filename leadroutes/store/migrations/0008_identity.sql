-- Identity: who is a member, who has agreed to share, who is invited, what proves a user, and what changes of a user.

-- What was offered to a member who has left is withdrawn; the history says so.
ALTER TABLE lead_events DROP CONSTRAINT lead_events_kind_check, ADD CONSTRAINT lead_events_kind_check CHECK (kind IN
    ('touched', 'updated', 'reassigned by the source', 'routed', 'declined', 'skipped', 'expired', 'unclaimed',
     'claimed', 'assigned', 'withdrawn')) NOT VALID;

---------------------------------------------------------------------------------------------- members and sharing

-- Whether the member has accepted the team since it began to share contacts. Teams that share now keep what they have.
ALTER TABLE team_members ADD COLUMN is_sharing_accepted boolean NOT NULL DEFAULT false;
UPDATE team_members m SET is_sharing_accepted = true
FROM teams t
WHERE t.owner_id = m.owner_id AND t.id = m.team_id AND t.is_contact_resource_sharing_enabled
  AND m.request_status = 'Accepted';

-- Who is an accepted member of a team together with whom; each member also with that member alone.
CREATE VIEW teammates AS
SELECT mine.user_id, theirs.user_id AS teammate_id
FROM team_members mine
JOIN team_members theirs ON theirs.owner_id = mine.owner_id AND theirs.team_id = mine.team_id
    AND theirs.request_status = 'Accepted'
WHERE mine.request_status = 'Accepted';

-- The same through a team that shares contacts, where both have agreed to that. The one definition of sharing.
CREATE VIEW sharing_teammates AS
SELECT mine.user_id, theirs.user_id AS teammate_id
FROM team_members mine
JOIN teams t ON t.owner_id = mine.owner_id AND t.id = mine.team_id AND t.is_contact_resource_sharing_enabled
JOIN team_members theirs ON theirs.owner_id = mine.owner_id AND theirs.team_id = mine.team_id
    AND theirs.request_status = 'Accepted' AND theirs.is_sharing_accepted
WHERE mine.request_status = 'Accepted' AND mine.is_sharing_accepted;

-- In whose name mails to a contact go out: whoever is wanted, as long as that user is active and still a teammate of the
-- contact's owner; else the owner.
CREATE FUNCTION sender_of(owner bigint, wanted bigint) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN wanted IS NULL OR wanted = owner THEN owner
        WHEN EXISTS (SELECT FROM teammates t JOIN users u ON u.id = t.teammate_id AND u.is_active
                     WHERE t.user_id = owner AND t.teammate_id = wanted) THEN wanted
        ELSE owner
    END;

-- Contacts that someone else than their owner has assigned to `user_id`; they go back when the sharing ends. A row that
-- names another user than the contact itself does is out of date and says nothing.
CREATE TABLE shared_assignments (
    owner_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    by_user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (owner_id, contact_id),
    FOREIGN KEY (owner_id, contact_id) REFERENCES contacts (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX shared_assignments_user ON shared_assignments (user_id);
CREATE INDEX shared_assignments_by_user ON shared_assignments (by_user_id);

------------------------------------------------------------------------------------------------------ invitations

-- Invitations by e-mail. They stand beside the members until someone accepts, whether the address has an account or not;
-- ids are those of members, so that the member keeps the id of the invitation.
CREATE TABLE team_invitations (
    owner_id bigint NOT NULL,                        -- the team's creator
    id bigint NOT NULL DEFAULT nextval('team_members_id_seq') UNIQUE,
    team_id bigint NOT NULL,
    email text COLLATE "C" NOT NULL,
    request_status text COLLATE "C" NOT NULL DEFAULT 'Pending' CHECK (request_status IN ('Pending', 'Declined')),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, team_id) REFERENCES teams (owner_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX team_invitations_once ON team_invitations (owner_id, team_id, lower(email));
CREATE INDEX team_invitations_email ON team_invitations (lower(email));
CREATE INDEX team_invitations_team ON team_invitations (team_id);

-- Members and invitations by e-mail as one list.
CREATE VIEW team_places AS
SELECT owner_id, id, team_id, user_id, NULL::text COLLATE "C" AS email, request_status, is_sharing_accepted FROM team_members
UNION ALL
SELECT owner_id, id, team_id, NULL, email, request_status, false FROM team_invitations;

-- The secrets in the links of invitations, by the id of the member or of the invitation. Lives are real time.
CREATE TABLE invitation_tokens (
    token_hash bytea PRIMARY KEY,
    member_id bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX invitation_tokens_expires ON invitation_tokens (expires_at);

-- When an address was last sent an invitation, by anyone; real time.
CREATE TABLE invitation_mails (
    address text COLLATE "C" PRIMARY KEY,            -- in lower case
    mailed_at timestamptz NOT NULL
);
CREATE INDEX invitation_mails_mailed ON invitation_mails (mailed_at);

------------------------------------------------------------------------------------------------ users and proofs

ALTER TABLE users ADD COLUMN postal_address text;

-- A new e-mail that a user has asked for; it counts once the link that was sent to it is opened. Lives are real time.
CREATE TABLE email_changes (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
    email text COLLATE "C" NOT NULL,
    old_email text COLLATE "C" NOT NULL,
    token_hash bytea UNIQUE,                         -- null: the mail has not been made yet
    expires_at timestamptz NOT NULL
);
CREATE INDEX email_changes_expires ON email_changes (expires_at);

ALTER TABLE refresh_tokens
    ADD COLUMN parent_hash bytea,                    -- the refresh token that it was given for
    ADD COLUMN ended_at timestamptz;                 -- since when it must not be used: one made from the same token was

--------------------------------------------------------------------------------------------------------- messages

ALTER TABLE messages
    ADD COLUMN member_id bigint,                     -- of an invitation
    ADD COLUMN email_change_id bigint,               -- of a mail to a new e-mail, or about it to the old one
    DROP CONSTRAINT messages_kind_check,
    ADD CONSTRAINT messages_kind_check CHECK (kind IN
        ('offer', 'won', 'claimed', 'unclaimed', 'campaign', 'invitation', 'email_change', 'email_changing')) NOT VALID;
