"""Figures of the whole installation, of all owners together, for /metrics and `leadroutes top`. Reads only."""

import asyncpg

from leadroutes.domain.provider_errors import FILTERED
from leadroutes.store import statement
from leadroutes.store.postgres import Database
from leadroutes.store.queue import ASK_JOB, DELIVERY_JOB, END_CALL_JOB, IMPORT_JOB, REREAD_JOB, TRIAL_JOB

MOST_COUNTED = 10_000  # every count ends here


async def load_figures(database: Database) -> asyncpg.Record:
    """Return the figures that metrics.FIGURES names; none is null."""
    clock = database.clock
    row = await database.fetchrow(
        *statement("load_figures").bind(
            now=clock.now(),
            scale=clock.anchor.scale,
            most=MOST_COUNTED,
            entrypoints=[DELIVERY_JOB, ASK_JOB, REREAD_JOB, IMPORT_JOB, END_CALL_JOB, TRIAL_JOB],
            refused=list(FILTERED),
        )
    )
    assert row is not None
    return row


async def load_pace(database: Database) -> asyncpg.Record:
    """Return the activity of the last minute and hour; load_pace.sql says which columns."""
    row = await database.fetchrow(*statement("load_pace").bind(now=database.clock.now(), most=MOST_COUNTED))
    assert row is not None
    return row


async def load_workers(database: Database) -> list[asyncpg.Record]:
    """Return worker_id and silence (in seconds) of each worker heard of within 30 seconds."""
    return await database.fetch(*statement("list_workers").bind())
