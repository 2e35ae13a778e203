"""Brings a database to the present schema: numbered files, each applied once, one process at a time."""

from importlib.resources import files
from typing import cast

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.queries import Queries

from leadroutes.errors import Misconfigured
from leadroutes.store.postgres import Database, unavailable_when_away

LOCK = 7_305_816_001  # an advisory lock's number; any, but always this


async def migrate(database: Database) -> list[str]:
    """Apply what is missing, in one transaction, and load the clock. Returns the names of what was applied."""
    with unavailable_when_away():
        async with database.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            applied = await _apply(connection)
    await database.load_clock()
    return applied


async def prepare(database: Database) -> list[str]:
    """Migrate an empty database and load the clock; Misconfigured where the schema is older or newer than we are."""
    done = await _applied(database)
    known = [name for name, _ in migrations()]
    if not done:
        return await migrate(database)
    if missing := [name for name in known if name not in done]:
        raise Misconfigured(f"The database lacks {', '.join(missing)}: run leadroutes migrate")
    if unknown := [name for name in done if name not in known]:
        raise Misconfigured(f"The database has {', '.join(unknown)}, which this version of leadroutes does not know")
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


async def _apply(connection: asyncpg.pool.PoolConnectionProxy) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    done = {row["name"] for row in await connection.fetch("SELECT name FROM migrations")}
    missing = [(name, sql) for name, sql in migrations() if name not in done]
    for name, sql in missing:
        await connection.execute(sql)
        await connection.execute("INSERT INTO migrations (name) VALUES ($1)", name)
    await _install_queue(connection)
    return [name for name, _ in missing]


async def _install_queue(connection: asyncpg.pool.PoolConnectionProxy) -> None:
    """PgQueuer keeps its own tables in shape."""
    queries = Queries(AsyncpgDriver(cast(asyncpg.Connection, connection)))  # a proxy is a connection in all but name
    if not await queries.has_table("pgqueuer"):
        await queries.install()
