-- The unique indexes that decide between simultaneous attempts are valid.
SELECT NULL::bigint AS owner_id, wanted.name AS index
FROM unnest(ARRAY[
    'claims_pkey', 'contact_identities_pkey', 'idempotency_keys_pkey', 'offers_lead_id_user_id_owner_id_key',
    'messages_once', 'messages_communication', 'campaign_contacts_running'
]) AS wanted (name)
WHERE NOT EXISTS (
    SELECT FROM pg_index WHERE indexrelid = to_regclass(wanted.name) AND indisunique AND indisvalid
)
