"""Counters of each owner, and results of steps: triggers add changes; here they are added up, and counted again."""

import asyncio
import time

from leadroutes.store import statement
from leadroutes.store.connection_errors import connection_errors_as_unavailable
from leadroutes.store.postgres import Database
from leadroutes.store.statements import Statement

MOST_FOLDED = 20_000  # changes of one statement
VACUUM_FROM = 10_000  # changes that were removed; otherwise reads of an owner's changes would pass by all of them


async def fold_changes(database: Database, stopping: asyncio.Event | None = None) -> int:
    """Add all changes up in the counters, until `stopping` is set. Return how many. Pause half of the time."""
    folded = await _fold(database, statement("fold_changes"), "counter_changes", stopping)
    return folded + await _fold(database, statement("fold_step_results"), "step_result_changes", stopping)


async def _fold(database: Database, folding: Statement, changes: str, stopping: asyncio.Event | None) -> int:
    total = 0
    while stopping is None or not stopping.is_set():
        begun = time.monotonic()
        folded: int = await database.fetchval(*folding.bind(most=MOST_FOLDED))
        total += folded
        if folded < MOST_FOLDED:
            break
        await asyncio.sleep(time.monotonic() - begun)
    if total >= VACUUM_FROM:
        await database.execute(f"VACUUM {changes}")
    return total


async def recount_owner(database: Database, owner_id: int) -> None:
    """Count an owner's rows again, in an hour at most. Changes of leads wait meanwhile."""
    sql, *values = statement("recount_owner").bind(owner_id=owner_id)
    with connection_errors_as_unavailable():
        await database.pool.execute(sql, *values, timeout=3600)
