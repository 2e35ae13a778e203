-- A channel that does not work at the moment: its settings, its login or its server, and no message's fault. Real time.
CREATE TABLE channel_faults (
    channel text COLLATE "C" PRIMARY KEY,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now()
);
