"""An open screen: what it hears of changes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager

from leadroutes.store.postgres import Database


@asynccontextmanager
async def watching(database: Database, topics: Iterable[str]) -> AsyncIterator[AsyncIterator[frozenset[str]]]:
    """Yields what changes of these topics from now on, as an open screen hears it; nothing within 5 s is an empty set.

    That the process begins to listen, which every screen hears as well, has happened before.
    """
    database.start_listening()
    async with asyncio.timeout(30):
        while database.listener.notify_is_lost is None:  # noqa: ASYNC110 -- the listener sets no event
            await asyncio.sleep(0.01)
    watch = database.screens.watch(topics)
    try:
        async with aclosing(watch.changes(5.0)) as changes:
            yield changes
    finally:
        watch.close()
