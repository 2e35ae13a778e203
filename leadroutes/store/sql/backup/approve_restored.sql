-- :known_migrations names of the migrations that this version knows, as the text of an array. Run by a restore, before its transaction
-- ends: an error undoes it all. What a newer version has only added is nothing to us; what it took away is.
DO $$
DECLARE
    known text[] := :known_migrations;
    unknown text;
BEGIN
    IF to_regclass('public.migrations') IS NULL OR to_regclass('public.domain_clock') IS NULL THEN
        RAISE EXCEPTION 'it holds no database of Lead Routes';
    END IF;
    SELECT string_agg(name, ', ' ORDER BY name) INTO unknown FROM public.migrations
    WHERE name <> ALL (known) AND position('_remove_' IN name) > 0;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'it was made by a newer version, which took away what this one needs: %', unknown;
    END IF;
END $$
