"""Brings a database to the present schema: numbered files, each applied once, by one process, while others serve.

A migration only adds. One that removes what an older version needs has `_remove_` in its name.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Collection
from importlib.resources import files
from typing import cast

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.queries import Queries

from leadroutes.errors import Misconfigured, Unavailable
from leadroutes.store.connection_errors import CONNECTION_ERRORS, connection_errors_as_unavailable
from leadroutes.store.postgres import Database

log = structlog.get_logger()

LOCK = 7_305_816_001  # the number of the advisory lock; all versions have to use the same
REMOVES = "_remove_"
LOCK_TIMEOUT = "1s"  # while a migration waits for a table, all later transactions that need the table wait behind it
ATTEMPTS = 300
PAUSE = 1.0  # seconds between two attempts, in which the transactions that waited go on
LONGEST = 86_400.0  # seconds for one statement: the index of a large table takes long, but blocks no one
PRERELEASE = (
    "The database is of a version before 0.1.0, whose schema cannot be upgraded: with that version, export the data"
    " (leadroutes export leads, export contacts); then set DATABASE_URL or LEADROUTES_DATA to a new database and"
    " import it there (leadroutes import)"
)

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_INDEX = re.compile(r"CREATE INDEX CONCURRENTLY IF NOT EXISTS (\w+) ON [^;]+;")


async def migrate(database: Database) -> list[str]:
    """Apply the missing migrations, each in a transaction, and load the clock. Returns the names of those applied.

    Raises Misconfigured for the database of a version before 0.1.0.
    """
    with connection_errors_as_unavailable():
        async with _alone(database), database.pool.acquire() as connection:
            applied = await _apply(connection)
    if database.clock_start is not None and migrations()[0][0] in applied:
        await database.begin_clock(database.clock_start)
    await database.load_clock()
    return applied


async def prepare(database: Database) -> list[str]:
    """Migrate an empty database and load the clock. Returns the names of the migrations applied.

    Raises Misconfigured if this version cannot work with the schema; with a newer one that only added, it can.
    """
    done = await _applied(database)
    known = [name for name, _ in migrations()]
    if not done:
        return await migrate(database)
    _refuse_prerelease(done)
    if missing := [name for name in known if name not in done]:
        raise Misconfigured(f"The database lacks {', '.join(missing)}: run leadroutes migrate")
    unknown = [name for name in done if name not in known]
    if removing := [name for name in unknown if REMOVES in name]:
        raise Misconfigured(
            f"The database has {', '.join(removing)}, which took away what this version needs; run a newer one"
        )
    if unknown:
        log.warning("the database is of a newer version, which has only added to it", unknown=unknown)
    await database.load_clock()
    return []


async def _applied(database: Database) -> list[str]:
    if await database.fetchval("SELECT to_regclass('migrations') IS NULL"):
        return []
    return [row["name"] for row in await database.fetch("SELECT name FROM migrations ORDER BY name")]


def _refuse_prerelease(done: Collection[str]) -> None:
    """Every release begins with the same first migration; a database without it is older than all of them."""
    if done and migrations()[0][0] not in done:
        raise Misconfigured(PRERELEASE)


def migrations() -> list[tuple[str, str]]:
    """Returns (name, SQL) of every migration, in order."""
    directory = files(__package__).joinpath("migrations")
    return sorted(
        (each.name.removesuffix(".sql"), each.read_text(encoding="utf-8"))
        for each in directory.iterdir()
        if each.name.endswith(".sql")
    )


@contextlib.asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    """One process at a time. The lock belongs to a transaction, as a pooler may give a session to another client."""
    connection = await database.hosts.connect()
    try:
        while not await _take_lock(connection):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE / 4)
        yield
    finally:
        with contextlib.suppress(*CONNECTION_ERRORS):
            await connection.close(timeout=5)


async def _take_lock(connection: Connection) -> bool:
    """Returns whether the connection has the lock; its transaction stays open if so, and is rolled back if not.

    CREATE INDEX CONCURRENTLY waits for the end of every transaction that has a snapshot. So a process that waits for
    the lock has no open transaction meanwhile, and the one that has it sends an empty statement: until the next
    statement, the last one keeps its snapshot.
    """
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    if await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
        await connection.execute("SELECT")
        return True
    await transaction.rollback()
    return False


async def _apply(connection: Connection) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    done = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
    _refuse_prerelease(done)
    missing = [(name, sql) for name, sql in migrations() if name not in done]
    for name, sql in missing:
        if indexes := list(_INDEX.finditer(sql)):
            for each in indexes:
                await _build_index(connection, each[1], each[0])
            await _note(connection, name)
        else:
            await _change(connection, name, sql)
    await _install_queue(connection)
    return [name for name, _ in missing]


async def _change(connection: Connection, name: str, sql: str) -> None:
    """Apply all of it or nothing. While a table is in use for long, it gives up and tries again, to let others in."""
    for _ in range(ATTEMPTS):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                await connection.execute(sql, timeout=LONGEST)
                await _note(connection, name)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            log.info("the migration waits for a transaction that uses a table for long", migration=name)
            await asyncio.sleep(PAUSE)
        else:
            return
    raise Unavailable(
        f"{name}: another transaction held a table during all {ATTEMPTS} attempts; see pg_stat_activity, and try again"
    )


async def _build_index(connection: Connection, index: str, sql: str) -> None:
    """Build it while others write. An invalid index, which a failed attempt has left, is dropped first."""
    if await connection.fetchval("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", index):
        await connection.execute(f"DROP INDEX CONCURRENTLY {index}", timeout=LONGEST)
    await connection.execute(sql, timeout=LONGEST)


async def _note(connection: Connection, name: str) -> None:
    await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)


async def _install_queue(connection: Connection) -> None:
    """Create the tables of PgQueuer, which brings its own schema."""
    queries = Queries(AsyncpgDriver(cast("asyncpg.Connection", connection)))  # a proxy has all methods of a connection
    if not await queries.has_table("pgqueuer"):
        async with connection.transaction():
            await queries.install()
