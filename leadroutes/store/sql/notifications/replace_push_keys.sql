-- Replaces the installation's keys for push services. Browsers accept nothing that others sign than those they were
-- allowed with, so the subscriptions are removed; returns how many there were.
WITH key AS (
    INSERT INTO push_keys (public_key, sealed) VALUES (:public_key, :sealed)
    ON CONFLICT (only_row) DO UPDATE SET public_key = excluded.public_key, sealed = excluded.sealed, made_at = now()
), gone AS (
    DELETE FROM push_subscriptions RETURNING 1
)
SELECT count(*) FROM gone
