-- $1 now; arrays: $2 owners, $3 ids, $4 intake keys, $5 lead sources, $6 headers, $7 bodies, $8 formats, $9 statuses,
-- $10 reasons, $11 leads, $12 sources named, $13 proofs. One that is read again takes the place of what it was.
INSERT INTO arrivals (owner_id, id, intake_key_id, lead_source_id, received_at, headers, body, format, status, reason,
    lead_id, source_named, proof)
SELECT x.owner_id, x.id, x.intake_key_id, x.lead_source_id, $1, x.headers::jsonb, x.body, x.format, x.status, x.reason,
       x.lead_id, x.source_named, x.proof
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bytea[], $8::text[], $9::text[],
    $10::text[], $11::bigint[], $12::text[], $13::bytea[]) AS x (owner_id, id, intake_key_id, lead_source_id, headers,
    body, format, status, reason, lead_id, source_named, proof)
ON CONFLICT (owner_id, id) DO UPDATE
SET format = excluded.format, status = excluded.status, reason = excluded.reason, lead_id = excluded.lead_id,
    source_named = excluded.source_named, headers = excluded.headers, proof = excluded.proof
