-- Adds the installation's keys for push services, unless there are some.
INSERT INTO push_keys (public_key, sealed) VALUES (:public_key, :sealed) ON CONFLICT (only_row) DO NOTHING
