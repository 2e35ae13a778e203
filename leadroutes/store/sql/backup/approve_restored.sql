-- Raises an error, which undoes the restore, when the restored database is of another application, of a version before
-- 0.1.0, or of a newer version that has removed what this one needs; what a newer version has added does not matter.
-- :known_migrations are the names of migrations, in order, as the text of an array. Run by psql before the restore's
-- transaction ends.
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
