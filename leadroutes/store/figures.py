"""How the whole house stands at this moment, all owners together: for /metrics and `leadroutes top`. Reads only."""

import asyncpg

from leadroutes.store import statement
from leadroutes.store.postgres import Database
from leadroutes.store.queue import DELIVERY_JOB, REREAD_JOB

MOST_COUNTED = 10_000  # of anything; what is more is not counted


async def load_figures(database: Database) -> asyncpg.Record:
    """The columns are named in metrics.FIGURES; none is null."""
    clock = database.clock
    row = await database.fetchrow(
        *statement("load_figures").bind(
            now=clock.now(), scale=clock.anchor.scale, most=MOST_COUNTED, entrypoints=[DELIVERY_JOB, REREAD_JOB]
        )
    )
    assert row is not None
    return row


async def load_pace(database: Database) -> asyncpg.Record:
    """How much went on within the last minute of the domain's time; see the statement for the columns."""
    row = await database.fetchrow(*statement("load_pace").bind(now=database.clock.now(), most=MOST_COUNTED))
    assert row is not None
    return row


async def load_workers(database: Database) -> list[asyncpg.Record]:
    """(worker_id, silence in seconds) of the living: those that have been heard of within 30 seconds."""
    return await database.fetch(*statement("list_workers").bind())
