"""Brings a database to the present schema: numbered files, each applied once, by one process, while others serve.

A migration adds only. One that takes away what an older version needs has `_remove_` in its name.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import cast

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.queries import Queries

from leadroutes.errors import Misconfigured, Unavailable
from leadroutes.store.postgres import CONNECTION_ERRORS, Database, connection_errors_as_unavailable

log = structlog.get_logger()

LOCK = 7_305_816_001  # an advisory lock's number; any, but always this
REMOVES = "_remove_"
LOCK_TIMEOUT = "1s"  # all who come after us wait as long as we do for those who were there before
ATTEMPTS = 300
PAUSE = 1.0  # seconds in which those who waited get on
LONGEST = 86_400.0  # seconds for one statement: an index of a large table takes long, but nobody waits for it

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_INDEX = re.compile(r"CREATE INDEX CONCURRENTLY IF NOT EXISTS (\w+) ON [^;]+;")


async def migrate(database: Database) -> list[str]:
    """Apply what is missing, one transaction each, and load the clock. Returns the names of what was applied."""
    with connection_errors_as_unavailable():
        async with _alone(database), database.pool.acquire() as connection:
            applied = await _apply(connection)
    await database.load_clock()
    return applied


async def prepare(database: Database) -> list[str]:
    """Migrate an empty database and load the clock; Misconfigured where the schema is not one that we can work with.

    A newer one may be: what was only added is nothing to us.
    """
    done = await _applied(database)
    known = [name for name, _ in migrations()]
    if not done:
        return await migrate(database)
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


def migrations() -> list[tuple[str, str]]:
    """(name, SQL) of every migration, in order."""
    directory = files(__package__).joinpath("migrations")
    return sorted(
        (each.name.removesuffix(".sql"), each.read_text(encoding="utf-8"))
        for each in directory.iterdir()
        if each.name.endswith(".sql")
    )


@contextlib.asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    """One process at a time. The lock is of a transaction, as a pooler gives a session to somebody else."""
    connection = await database.hosts.connect()
    try:
        while not await _take_lock(connection):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE / 4)
        yield
    finally:
        with contextlib.suppress(*CONNECTION_ERRORS):
            await connection.close(timeout=5)


async def _take_lock(connection: Connection) -> bool:
    """Whether we have it, in a transaction that stays open then; who has it not leaves no transaction behind.

    An index that is built waits for the end of each transaction that it has once seen reading. So nobody waits for the
    lock in a statement or between two, and who has it sends another statement: until one comes, the last one reads.
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
    """All of it or nothing. Where somebody reads a table for long it steps back again and again, to let others in."""
    for _ in range(ATTEMPTS):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                await connection.execute(sql, timeout=LONGEST)
                await _note(connection, name)
        except asyncpg.LockNotAvailableError:
            log.info("the migration waits for somebody who reads or changes a table for long", migration=name)
            await asyncio.sleep(PAUSE)
        else:
            return
    raise Unavailable(f"{name}: somebody has held a table for {ATTEMPTS} attempts; see pg_stat_activity, and try again")


async def _build_index(connection: Connection, index: str, sql: str) -> None:
    """While others write. One that broke off is in nobody's way, but in ours."""
    if await connection.fetchval("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", index):
        await connection.execute(f"DROP INDEX CONCURRENTLY {index}", timeout=LONGEST)
    await connection.execute(sql, timeout=LONGEST)


async def _note(connection: Connection, name: str) -> None:
    await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)


async def _install_queue(connection: Connection) -> None:
    """PgQueuer keeps its own tables in shape."""
    queries = Queries(AsyncpgDriver(cast("asyncpg.Connection", connection)))  # a proxy is a connection in all but name
    if not await queries.has_table("pgqueuer"):
        async with connection.transaction():
            await queries.install()
