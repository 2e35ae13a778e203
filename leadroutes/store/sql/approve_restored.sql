-- $1 names of the migrations that this version knows, as the text of an array. Run by a restore, before its transaction
-- ends: an error undoes it all.
DO $$
DECLARE
    known text[] := $1;
    unknown text;
BEGIN
    IF to_regclass('public.migrations') IS NULL OR to_regclass('public.domain_clock') IS NULL THEN
        RAISE EXCEPTION 'it holds no database of Lead Routes';
    END IF;
    SELECT string_agg(name, ', ' ORDER BY name) INTO unknown FROM public.migrations WHERE name <> ALL (known);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'it was made by a newer version, which knows %', unknown;
    END IF;
END $$
