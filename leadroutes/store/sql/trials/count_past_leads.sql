-- Returns how many leads of an owner a trial decides, and how many are held and left out.
SELECT
    (SELECT count(*) FROM leads l
     WHERE l.owner_id = :owner_id AND l.id > 0 AND l.created_at >= :since::timestamptz
       AND l.created_at < :until::timestamptz AND is_counted(l)
       AND (l.routed_at IS NOT NULL OR l.is_imported)) AS leads,
    (SELECT count(*) FROM leads l
     WHERE l.owner_id = :owner_id AND l.routed_at IS NULL AND NOT l.is_imported AND is_counted(l)
       AND l.created_at >= :since::timestamptz AND l.created_at < :until::timestamptz) AS held
