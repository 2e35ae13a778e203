-- Refuses a restored database whose migrations this version does not know or has removed; run by a restore before its
-- transaction ends, so that an error undoes all of it. :known_migrations: their names, in order, as the text of an array.
DO $$
DECLARE
    known text[] := :known_migrations;
    unknown text;
BEGIN
    IF to_regclass('public.migrations') IS NULL OR to_regclass('public.domain_clock') IS NULL THEN
        RAISE EXCEPTION 'it holds no database of Lead Routes';
    END IF;
    IF EXISTS (SELECT FROM public.migrations) AND known[1] NOT IN (SELECT name FROM public.migrations) THEN
        RAISE EXCEPTION 'it was made by a version before 0.1.0, whose schema cannot be upgraded';
    END IF;
    SELECT string_agg(name, ', ' ORDER BY name) INTO unknown FROM public.migrations
    WHERE name <> ALL (known) AND position('_remove_' IN name) > 0;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'it was made by a newer version, which took away what this one needs: %', unknown;
    END IF;
END $$
