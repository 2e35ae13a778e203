"""Two processes on one database, and what PostgreSQL says of waits and deadlocks between them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from typing import Any

import pytest

from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'met'"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
async def processes(brokerage: Brokerage, database_url: str) -> AsyncIterator[list[Database]]:
    """Two, each with connections of its own."""
    async with contextlib.AsyncExitStack() as stack:
        opened = []
        mark = "&" if "?" in database_url else "?"
        for _ in range(2):
            opened.append(each := await Database.open(Settings(), url=f"{database_url}{mark}application_name=met"))
            stack.push_async_callback(each.close)
            await each.load_clock()
        yield opened


async def until_waiting(database: Database, number: int, work: asyncio.Future[Any] | None = None) -> None:
    """Wait until so many sessions wait for a lock that another one holds, or until this work is done without."""
    while await database.fetchval(WAITING) < number:
        if work is not None and work.done():
            return
        await asyncio.sleep(0.01)


async def one_behind_another(database: Database, held: str, works: Iterable[Awaitable[Any]]) -> list[Any]:
    """Begin each work once those before it wait for what another session holds, and let all go on; their outcomes."""
    async with database.pool.acquire() as holder, holder.transaction():
        await holder.execute(held)
        doing = []
        for number, each in enumerate(works, start=1):
            doing.append(asyncio.ensure_future(each))
            await until_waiting(database, number)
    return list(await asyncio.gather(*doing))


async def deadlocks(database: Database, processes: Sequence[Database]) -> int:
    """So far; a connection tells of its own as it ends."""
    for each in processes:
        await each.close()
    while await database.fetchval(OTHERS):  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.01)
    found: int = await database.fetchval(DEADLOCKS)
    return found
