"""Analyzes small tables as they grow: autovacuum does so up to a minute late.

Until then PostgreSQL uses plans made for empty tables, and checks foreign keys by reading all rows of an owner.
"""

import asyncio

import structlog

from leadroutes.errors import Unavailable
from leadroutes.store import statement
from leadroutes.store.postgres import Database

log = structlog.get_logger()

LOOK = 1.0  # seconds between two checks


async def analyze_growing_tables(database: Database) -> None:
    """Analyze each of the main tables when it outgrows its statistics; return when none is small any more."""
    while True:
        try:
            if not await analyze_young_tables(database):
                return
        except Unavailable:
            log.debug("the database is away")
        await asyncio.sleep(LOOK)


async def analyze_all(database: Database) -> None:
    """Analyze all tables, as after a restore, in an hour at most."""
    await database.pool.execute("ANALYZE", timeout=3600)


async def analyze_young_tables(database: Database) -> bool:
    """Analyze the small tables that have grown. Returns whether there are small tables, which may grow again."""
    young = await database.fetch(*statement("find_small_tables").bind())
    grown = [row["name"] for row in young if row["has_grown"]]
    if grown:
        await database.execute(f"ANALYZE {', '.join(grown)}")
    return bool(young)
