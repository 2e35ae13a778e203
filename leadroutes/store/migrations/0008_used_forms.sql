-- A form of the web pages acts once, however often it is sent.
CREATE TABLE used_forms (
    token_hash bytea PRIMARY KEY, -- sha256
    user_id bigint NOT NULL REFERENCES users,
    used_at timestamptz NOT NULL DEFAULT now(), -- real time
    path text -- of the page that answered; null while the form is being acted upon
);

CREATE INDEX used_forms_used_at ON used_forms (used_at);
CREATE INDEX used_forms_user_id ON used_forms (user_id);

-- What was typed into a form that was sent after the session had ended: shown again after the next sign-in.
CREATE TABLE typed_forms (
    token_hash bytea PRIMARY KEY, -- sha256
    user_id bigint NOT NULL REFERENCES users,
    path text NOT NULL,
    fields jsonb NOT NULL, -- name -> values
    typed_at timestamptz NOT NULL DEFAULT now() -- real time
);

CREATE INDEX typed_forms_typed_at ON typed_forms (typed_at);
CREATE INDEX typed_forms_user_id ON typed_forms (user_id);
