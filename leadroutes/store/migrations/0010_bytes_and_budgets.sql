-- Budgets: a page is bounded in bytes, an intake key in leads a minute, and whether there is room on the disk is tried out.

-- The bytes of all that an aggregate has been given; it ends with an error as soon as they are more than allowed, so that
-- no page is put together that nobody may have.
CREATE FUNCTION add_bytes_up_to(so_far bigint, more integer, most bigint) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF so_far + more > most THEN
        RAISE EXCEPTION 'more than % bytes', most USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN so_far + more;
END $$;
CREATE AGGREGATE bytes_up_to(integer, bigint) (SFUNC = add_bytes_up_to, STYPE = bigint, INITCOND = '0', PARALLEL = SAFE);

-- Until when the leads of a key have been put off, because more came than its budget; real time.
ALTER TABLE intake_keys ADD COLUMN paced_until timestamptz;

-- Filled and emptied in one transaction to learn whether a disk that was full has room again; no row stays.
CREATE TABLE room_probe (filling bytea NOT NULL);
