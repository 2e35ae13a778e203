-- Keeping: what was removed from an arrival, and who cleans up.

ALTER TABLE arrivals ADD COLUMN emptied_at timestamptz;   -- when its body and headers were removed; null: they are kept

-- One row: when somebody began to clean up. Whoever moves it does this hour's cleaning.
CREATE TABLE cleaning (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    begun_at timestamptz NOT NULL DEFAULT now()      -- real time
);
INSERT INTO cleaning DEFAULT VALUES;
