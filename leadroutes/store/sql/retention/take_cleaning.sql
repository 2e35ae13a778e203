-- Records that a cleaning begins, and returns a row, if the last one began at least :interval ago: one process gets the
-- row.
UPDATE cleaning SET begun_at = now() WHERE begun_at <= now() - :interval::interval RETURNING begun_at
