-- What an arrival proves: whether an intake key is known to its sender alone, through which key a lead came, what its
-- sender said of themselves, and whether an e-mail or phone came through a proven key. Nothing that is there is rewritten.

-- Null: as the format says, so that a key made by the previous version counts as one made by this version.
ALTER TABLE intake_keys ADD COLUMN is_private boolean;

-- Vendors' formats and mail are known to the vendor alone; a website's form, and what has no format, may stand in a page.
CREATE FUNCTION is_known_to_its_sender_alone(k intake_keys) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(k.is_private, k.format IS NOT NULL AND k.format NOT IN ('website', 'zapier'));

-- first_name, last_name, email, phone, as far as they were given; null: nothing was given, or it was no arrival.
ALTER TABLE leads ADD COLUMN inquirer jsonb;
ALTER TABLE leads ADD COLUMN intake_key_id bigint;   -- null: no arrival, or one of before this column

-- False: it came with a new contact through a key that proves nothing. What is there already counts as proven: which of it
-- an owner, an import or a vendor has confirmed since cannot be told any more, and nobody is to become somebody new.
ALTER TABLE contact_identities ADD COLUMN is_proven boolean NOT NULL DEFAULT true;

-- Scopes of idempotency_keys from here on:
--   'vendor <lead source id>'          key = the vendor's id, through proven keys                            for ever
--   'vendor <lead source id>'          key = a bare id and an e-mail or phone of the person                  for ever
--   'vendor key <intake key id>'       key = an id and an e-mail or phone, through a key that proves nothing for ever
--   'body <intake key id>'             key = sha256 of the bytes, hex                                        24 hours
--   'key /intake/<intake key id>'      key = the Idempotency-Key header                                      24 hours
--   'key /leads/<user id>'             key = the Idempotency-Key header of this user                         24 hours
