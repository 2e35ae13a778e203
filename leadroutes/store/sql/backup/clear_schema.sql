-- Drops everything in the schema public that does not belong to an extension. Run by psql in the restore's transaction.
DO $$
DECLARE
    doomed text;
BEGIN
    PERFORM pg_advisory_xact_lock(:lock);
    SET LOCAL client_min_messages = warning;  -- not one line for each table that CASCADE drops
    FOR doomed IN
        SELECT format('DROP %s IF EXISTS %s CASCADE', found.kind, found.name)
        FROM (
            SELECT 1 AS place, 'pg_class'::regclass AS catalogue, c.oid, c.oid::regclass::text AS name,
                   CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                       ELSE 'TABLE' END AS kind
            FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            UNION ALL
            SELECT 2, 'pg_proc'::regclass, p.oid, p.oid::regprocedure::text, 'ROUTINE'
            FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT 3, 'pg_type'::regclass, t.oid, t.oid::regtype::text, 'TYPE'
            FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
        ) AS found
        WHERE NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = found.catalogue AND d.objid = found.oid AND d.deptype = 'e')
        ORDER BY found.place, found.kind = 'SEQUENCE'
    LOOP
        EXECUTE doomed;
    END LOOP;
END $$
