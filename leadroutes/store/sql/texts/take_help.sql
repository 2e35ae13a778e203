-- Notes that a phone gets an answer to what was not understood; returns a row unless it got five within an hour.
INSERT INTO reply_phones AS p (phone, helped_at) VALUES (:phone, ARRAY[now()])
ON CONFLICT (phone) DO UPDATE
    SET helped_at = p.helped_at[greatest(cardinality(p.helped_at) - 3, 1) : cardinality(p.helped_at)] || now()
    WHERE cardinality(p.helped_at) < 5 OR p.helped_at[1] <= now() - interval '1 hour'
RETURNING true
