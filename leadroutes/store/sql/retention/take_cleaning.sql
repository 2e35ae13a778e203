-- :interval how long ago the last cleaning must have been begun. Whoever gets the row does this one.
UPDATE cleaning SET begun_at = now() WHERE begun_at <= now() - :interval::interval RETURNING begun_at
