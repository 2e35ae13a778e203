"""Two at once, in the one order that matters: another session's statement commits while the code under test waits."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from leadroutes.errors import Conflict, NotFound
from leadroutes.store.postgres import Database

Result = TypeVar("Result")

_WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"


async def overtaken(work: Coroutine[Any, Any, Result], database: Database, sql: str, *values: Any) -> Result:
    """What comes of `work` that began after this statement, and waits for it without seeing what it did."""
    async with database.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(sql, *values)
        waiting = asyncio.ensure_future(work)
        while not waiting.done() and not await database.fetchval(_WAITS):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not waiting.done(), "it did not wait"
        await transaction.commit()
    return await waiting


async def outcome(work: Awaitable[Any], well: str = "done") -> str:
    """What one of many at once hears: `well` where all is, else the name of the refusal."""
    try:
        await work
    except (Conflict, NotFound) as problem:
        return type(problem).__name__
    return well
