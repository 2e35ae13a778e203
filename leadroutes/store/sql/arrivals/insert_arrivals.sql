-- Stores a batch of arrivals; one that is read again replaces what was read before. All parameters but :now are arrays.
INSERT INTO arrivals (owner_id, id, intake_key_id, lead_source_id, received_at, headers, body, format, status, reason,
    lead_id, source_named, proof)
SELECT x.owner_id, x.id, x.intake_key_id, x.lead_source_id, :now, x.headers::jsonb, x.body, x.format, x.status,
       x.reason, x.lead_id, x.source_named, x.proof
FROM unnest(:owner_ids::bigint[], :arrival_ids::bigint[], :intake_key_ids::bigint[], :lead_source_ids::bigint[],
            :headers::text[], :bodies::bytea[], :formats::text[], :statuses::text[],
            :reasons::text[], :lead_ids::bigint[], :sources_named::text[], :proofs::bytea[])
    AS x (owner_id, id, intake_key_id, lead_source_id, headers, body, format, status, reason, lead_id, source_named,
          proof)
ON CONFLICT (owner_id, id) DO UPDATE
SET format = excluded.format, status = excluded.status, reason = excluded.reason, lead_id = excluded.lead_id,
    source_named = excluded.source_named, headers = excluded.headers, proof = excluded.proof
