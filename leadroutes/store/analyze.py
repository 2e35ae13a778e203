"""Tells PostgreSQL's planner about young tables as they grow: its own look at them comes up to a minute late.

Until then it has plans that were made for empty tables, and checks foreign keys by walking all rows of an owner.
"""

import asyncio

import structlog

from leadroutes.errors import Unavailable
from leadroutes.store import statement
from leadroutes.store.postgres import Database

log = structlog.get_logger()

LOOK = 1.0  # seconds between two looks


async def analyze_growing_tables(database: Database) -> None:
    """Analyze each of the large tables as it outgrows what is known of it; ends when none is small any more."""
    while True:
        try:
            if not await analyze_young_tables(database):
                return
        except Unavailable:
            log.debug("the database is away")
        await asyncio.sleep(LOOK)


async def analyze_all(database: Database) -> None:
    """Analyze all tables, as after a restore, whatever time it takes (an hour at most)."""
    await database.pool.execute("ANALYZE", timeout=3600)


async def analyze_young_tables(database: Database) -> bool:
    """Analyze those that have grown; whether any were small, and so may grow again."""
    young = await database.fetch(*statement("find_small_tables").bind())
    grown = [row["name"] for row in young if row["has_grown"]]
    if grown:
        await database.execute(f"ANALYZE {', '.join(grown)}")
    return bool(young)
