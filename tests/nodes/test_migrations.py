"""The schema is brought forward while the version before serves on it; a copy of the package plays the next version."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from leadroutes.api.resources import RESOURCES
from leadroutes.errors import Misconfigured
from leadroutes.settings import Settings
from leadroutes.store.migrate import LOCK, REMOVES, migrate, migrations, prepare
from leadroutes.store.postgres import Database
from tests.support.cluster import Cluster
from tests.support.deadlocks import DEADLOCKS, WAITING
from tests.support.load import Load
from tests.support.processes import SERVE, SERVE_ONLY, leadroutes, next_version, node, until

pytestmark = pytest.mark.timeout(300)

COLUMNS = "ALTER TABLE {0} ADD COLUMN next_word text, ADD COLUMN next_number integer NOT NULL DEFAULT 0;"
INDEX = "CREATE INDEX CONCURRENTLY IF NOT EXISTS next_{0} ON {0} (next_number);"


async def test_all_that_a_migration_may_add_is_added_under_load_and_the_version_before_does_not_notice(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    tables = await tables_of(database)
    of = next_version(
        tmp_path,
        n9001_next=" ".join(map(COLUMNS.format, tables)) + " CREATE TABLE next_things (id bigint PRIMARY KEY);",
        n9002_next_indexes="\n".join(map(INDEX.format, tables)),
    )
    async with node(cluster.environment, *SERVE) as serving:
        story = await cluster.at(serving.address)
        await story.set_up()
        await story.option("bob")
        await story.route()
        load = Load(story["zillow"].post, story.key)
        await load.more(10)
        before = await shapes(cluster)

        applied = await leadroutes(cluster.environment, "migrate", of=of)
        await load.more(10)
        answers = await load.end()
        claim = await story.claim("bob", answers[-1].json()["id"])
        await until(lambda: have_come(cluster, len(answers)))

        assert applied == (0, "Applied 9001_next, 9002_next_indexes\n")
        assert {answer.status_code for answer in answers} == {201}
        assert claim.status_code == 200
        assert await shapes(cluster) == before
        assert await serving.stop() == 0
        assert [line for line in serving.log if "error" in line or "warning" in line] == []

    assert await leadroutes(cluster.environment, "migrate", of=of) == (0, "The schema is up to date\n")
    async with node(cluster.environment, *SERVE_ONLY) as again, node(cluster.environment, *SERVE_ONLY, of=of) as beside:
        assert any("has only added to it" in line and "9001_next" in line for line in again.log)
        assert not any("has only added to it" in line for line in beside.log)
        for each in (again, beside):
            story = await cluster.at(each.address)
            assert await story.inquire(f"lea{each.process.pid}")


async def tables_of(database: Database) -> list[str]:
    rows = await database.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^(pgqueuer|migrations)'"
    )
    return [row["tablename"] for row in rows]


async def shapes(cluster: Cluster) -> dict[str, list[str]]:
    """The fields of a record of each resource that Alice has one of."""
    found = {}
    for path in (resource.path for resource in RESOURCES if ":" not in resource.path):
        page = (await cluster.story["alice"].get(f"{path}?$limit=1")).json()
        found[path] = sorted(page["data"][0]) if page.get("data") else []
    assert sum(map(bool, found.values())) > 8, found
    return found


async def have_come(cluster: Cluster, count: int) -> bool:
    return len(cluster.mailbox.mails) >= count


async def test_a_migration_steps_back_for_those_who_wait_behind_it(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    """A backup reads leads for long. A migration that waited for the whole table would block everyone behind it."""
    of = next_version(tmp_path, n9001_next=COLUMNS.format("leads"))
    async with node(cluster.environment, *SERVE_ONLY) as serving, database.pool.acquire() as reader:
        story = await cluster.at(serving.address)
        await story.set_up()
        reading = reader.transaction()
        await reading.start()
        await reader.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # a busy machine takes its time
        await reader.fetch("SELECT FROM leads")
        migrating = asyncio.create_task(leadroutes(cluster.environment, "migrate", of=of))
        load = Load(story["zillow"].post, story.key)
        await until(lambda: waits_for_leads(database))
        await load.more(20)

        assert not migrating.done()
        await reading.commit()
        assert await migrating == (0, "Applied 9001_next\n")
        assert {answer.status_code for answer in await load.end()} == {201}


async def waits_for_leads(database: Database) -> bool:
    return bool(
        await database.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'leads'::regclass AND NOT granted"
            " AND mode = 'AccessExclusiveLock')"
        )
    )


async def test_a_version_whose_ground_was_taken_away_does_not_start(cluster: Cluster, tmp_path: Path) -> None:
    of = next_version(tmp_path, **{f"n9001{REMOVES}old_things": "SELECT 1;"})
    assert (await leadroutes(cluster.environment, "migrate", of=of))[0] == 0

    code, output = await leadroutes(cluster.environment, *SERVE_ONLY)

    assert code == 1
    assert "The database has 9001_remove_old_things, which took away what this version needs" in output


async def test_a_version_that_is_ahead_of_the_schema_says_what_to_do(cluster: Cluster, tmp_path: Path) -> None:
    of = next_version(tmp_path, n9001_next=COLUMNS.format("leads"))

    assert await leadroutes(cluster.environment, *SERVE_ONLY, of=of) == (
        1, "leadroutes: The database lacks 9001_next: run leadroutes migrate\n"
    )  # fmt: skip


async def test_the_clock_of_a_new_database_begins_where_the_settings_say(empty_url: str, tmp_path: Path) -> None:
    begins, later = (datetime(year, 3, 13, 19, tzinfo=UTC) for year in (2020, 2030))
    for given in (begins, later):  # the second one counts no more: the database is not new
        settings = Settings(data=tmp_path, database_url=empty_url, time_scale=60, clock_start=given)
        database = await Database.open(settings)
        try:
            await prepare(database)
            await database.set_time_scale(settings.time_scale)
            assert begins <= database.clock.now() < later
        finally:
            await database.close()


async def test_of_many_who_migrate_at_once_one_does(empty_url: str) -> None:
    databases = [await Database.open(Settings(pool_size=1), url=empty_url) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(database) for database in databases))
    for database in databases:
        await database.close()

    assert sorted(applied) == [[], [], [], [name for name, _ in migrations()]]


async def test_who_waits_to_migrate_is_in_no_transaction_that_an_index_would_wait_for(
    database: Database, empty_url: str
) -> None:
    """CREATE INDEX CONCURRENTLY waits for the end of whoever it has seen reading, be it for a moment: here for us."""
    waiting = await Database.open(Settings(pool_size=1), url=empty_url)
    async with asyncpg.create_pool(empty_url, min_size=1) as others, others.acquire() as holder:
        assert await holder.fetchval("SELECT pg_try_advisory_lock($1)", LOCK)
        migrating = asyncio.create_task(migrate(waiting))
        name = await holder.fetchval("SELECT current_database()")
        await until(lambda: has_ended_its_transaction(database, name))
        assert not migrating.done()

    assert await migrating == [name for name, _ in migrations()]
    await waiting.close()


async def has_ended_its_transaction(database: Database, waits_in: str) -> bool:
    """Whether the session that asked for the lock has ended the transaction in which it did."""
    return bool(
        await database.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1 AND state = 'idle' AND query ~ 'ROLLBACK')",
            waits_in,
        )
    )


async def test_a_migration_that_loses_a_deadlock_is_tried_again(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    """PostgreSQL looks for deadlocks at once here, so that it finds one before the migration gives up waiting."""
    name = await database.fetchval("SELECT current_database()")
    await database.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '200ms'")
    of = next_version(tmp_path, n9001_next=COLUMNS.format("campaigns") + COLUMNS.format("teams"))
    before = await database.fetchval(DEADLOCKS)
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("SET LOCAL deadlock_timeout = '1min'; LOCK TABLE teams")
        migrating = asyncio.create_task(leadroutes(cluster.environment, "migrate", of=of))
        await until(lambda: is_waiting(database))
        await other.execute("LOCK TABLE campaigns")

    assert await migrating == (0, "Applied 9001_next\n")
    assert await database.fetchval(DEADLOCKS) == before + 1


async def is_waiting(database: Database) -> bool:
    return bool(await database.fetchval(WAITING))


async def test_an_index_that_a_failed_migration_left_invalid_is_built_again(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    """The invalid index has the name already, and no query uses it."""
    of = next_version(tmp_path, n9001_next=COLUMNS.format("leads"), n9002_next_indexes=INDEX.format("leads"))
    assert (await leadroutes(cluster.environment, "migrate", of=of))[0] == 0
    await database.execute("DELETE FROM migrations WHERE name = '9002_next_indexes'")
    await database.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'next_leads'::regclass")

    assert await leadroutes(cluster.environment, "migrate", of=of) == (0, "Applied 9002_next_indexes\n")
    assert await database.fetchval("SELECT bool_and(indisvalid) FROM pg_index")


async def test_a_database_from_before_the_first_release_is_refused_and_not_touched(database: Database) -> None:
    await database.execute("DELETE FROM migrations")
    await database.execute("INSERT INTO migrations (name) VALUES ('0001_lead_routes'), ('0015_tokens_have_names')")

    for bring_to_the_present in (migrate, prepare):
        with pytest.raises(Misconfigured, match=r"before 0\.1\.0, whose schema cannot be upgraded: .* export"):
            await bring_to_the_present(database)
    assert await database.fetchval("SELECT array_agg(name ORDER BY name) FROM migrations") == [
        "0001_lead_routes", "0015_tokens_have_names"
    ]  # fmt: skip


# -------------------------------------------------------------------------------------------------------- the rule

ADDS = re.compile(
    r"CREATE TABLE .*"
    r"|ALTER TABLE \w+ ADD COLUMN (?!.*\b(UNIQUE|PRIMARY KEY|CHECK)\b)(?!(?!.*\bDEFAULT\b).*\bNOT NULL\b).*"
    r"|CREATE INDEX CONCURRENTLY IF NOT EXISTS .*"
    r"|(CREATE|CREATE OR REPLACE) (AGGREGATE|FUNCTION|VIEW) .*"
    r"|CREATE TRIGGER .*"
    r"|INSERT INTO .*"
    r"|CREATE STATISTICS .*"
    r"|ALTER TABLE \w+ ALTER COLUMN \w+ SET (\(n_distinct = \d+\)|STORAGE MAIN)"
    r"|ALTER TABLE campaigns ALTER COLUMN stops_on SET DEFAULT .*"  # which no version had before this migration
    r"|COMMENT ON .*",
    re.DOTALL,
)
# A check that allows more values than before, and is not applied to the rows that exist.
WIDENS = re.compile(
    r"ALTER TABLE \w+ (?:ADD COLUMN \w+ \w+, )*DROP CONSTRAINT (\w+), ADD CONSTRAINT \1 CHECK .* NOT VALID", re.DOTALL
)


# Blocks of code that only widen checks, as above, by a rule that they read from the database, or add a trigger.
BLOCKS = {
    name: ["DO ''"]
    for name in (
        "0006_leads_and_contacts", "0010_replies", "0012_webhooks", "0013_notifications", "0014_returned_mails",
        "0016_availability", "0018_junk", "0019_versions", "0024_calls",
    )
}  # fmt: skip
# Keys that changed all rows of a campaign with it: now a trigger has that done later, in older versions, too.
KEYS = {
    "0036_removed_campaigns": [
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_campaign_id_fkey"
        for table in ("campaign_contacts", "contact_communications")
    ]
}

# An index that no version misses: what it found is found by keys of the owner, or of the user, in the same statement.
INDEXES = {"0040_offers_by_owner": ["DROP INDEX IF EXISTS offers_by_id"]}


def what_takes_away(sql: str) -> list[str]:
    """The statements that could break an older version, or that lock a table for long."""
    bare = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", re.sub(r"--[^\n]*", "", sql), flags=re.DOTALL)
    bare = re.sub(r"BEGIN ATOMIC.*?;\s*END;", "RETURN 1;", bare, flags=re.DOTALL)
    statements = [" ".join(each.split()) for each in bare.split(";")]
    return [each for each in statements if each and not _is_harmless(each, statements)]


def _is_harmless(statement: str, statements: list[str]) -> bool:
    if ADDS.fullmatch(statement) or WIDENS.fullmatch(statement):
        return True
    made = {name for each in statements for name in re.findall(r"^CREATE TABLE (\w+)", each)}
    added = {name for each in statements for name in re.findall(r"^ALTER TABLE (\w+) ADD COLUMN", each)}
    index = re.match(r"CREATE (?:UNIQUE )?INDEX \w+ ON (\w+)", statement)  # of a table that no version uses yet
    filled = re.match(r"UPDATE (\w+)", statement)  # a column that no version uses yet
    dropped = re.fullmatch(r"DROP INDEX IF EXISTS (\w+)", statement)
    return (
        (index is not None and index[1] in made)
        or (filled is not None and filled[1] in added)
        or (dropped is not None and _is_covered(dropped[1]))
    )


AN_INDEX = re.compile(
    r"CREATE INDEX (?:CONCURRENTLY IF NOT EXISTS )?(\w+) ON (\w+) \((\w+(?:, \w+)*)\)((?: WHERE [^;]+)?);"
)


def _is_covered(name: str) -> bool:
    """Whether another index begins with the columns of this one and has its condition: then no version misses it."""
    indexes = {each[1]: each for _, sql in migrations() for each in AN_INDEX.finditer(sql)}
    if name not in indexes:
        return False
    _, table, columns, condition = indexes[name].groups()
    return any(
        each[2] == table and each[4] == condition and each[3].startswith(f"{columns}, ") for each in indexes.values()
    )


def test_a_migration_after_the_first_adds_only_or_says_in_its_name_that_it_removes() -> None:
    """The first one makes all of the schema, on which no older version runs."""
    later = {name: what_takes_away(sql) for name, sql in migrations()[1:] if REMOVES not in name}

    assert {name: found for name, found in later.items() if found != (BLOCKS | KEYS | INDEXES).get(name, [])} == {}


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE next (id bigint); CREATE UNIQUE INDEX next_id ON next (id)",
        'ALTER TABLE leads ADD COLUMN next integer, ADD COLUMN after_next text COLLATE "C" REFERENCES users',
        "ALTER TABLE leads ADD COLUMN next integer NOT NULL DEFAULT 0; UPDATE leads SET next = 1",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_next ON leads (next)",
        "CREATE OR REPLACE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP TABLE leads; END $$",
        "CREATE FUNCTION next() RETURNS bigint LANGUAGE sql BEGIN ATOMIC UPDATE leads SET next = 1; SELECT 1; END",
        "CREATE TRIGGER next AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION next()",
        "CREATE VIEW next AS SELECT 1; INSERT INTO lead_sources (name) VALUES ('Next')",
        "COMMENT ON TABLE leads IS 'Next'",
        "DROP INDEX IF EXISTS contact_communications_calls",
        "ALTER TABLE offers DROP CONSTRAINT a_check, ADD CONSTRAINT a_check CHECK (state IN ('next')) NOT VALID",
    ],
)
def test_the_rule_accepts_what_adds_only(sql: str) -> None:
    assert what_takes_away(f"-- Why.\n{sql};\n") == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE leads DROP COLUMN touches",
        "ALTER TABLE leads ADD COLUMN next integer NOT NULL",
        "ALTER TABLE leads ADD COLUMN next integer UNIQUE",
        "ALTER TABLE leads RENAME COLUMN touches TO times",
        "ALTER TABLE leads ALTER COLUMN touches TYPE bigint",
        "DROP TABLE leads",
        "DROP INDEX IF EXISTS contact_communications_asked",
        "CREATE INDEX next ON leads (id)",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS next ON leads (id)",
        "ALTER TABLE offers DROP CONSTRAINT a_check, ADD CONSTRAINT a_check CHECK (state IN ('next'))",
        "UPDATE leads SET touches = 1",
    ],
)
def test_the_rule_knows_what_takes_away(sql: str) -> None:
    assert what_takes_away(f"-- Why.\nCREATE TABLE next (id bigint);\n{sql};\n") == [sql]
